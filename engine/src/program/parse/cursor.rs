//! The words, signs and numbers of a text.

use crate::program::DType;
use crate::program::limits::*;
use crate::program::types::*;
use std::str::FromStr;

/// No word is longer: a root has 66 characters.
const LONGEST_WORD: usize = 80;

/// What is wrong at a byte of the text.
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: String,
}

pub(super) type Parsed<T> = Result<T, Fault>;

/// A place in a text.
pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn view_number(&mut self) -> Parsed<u8> {
        let at = self.here();
        self.word().and_then(|w| number_after('v', w)).ok_or_else(|| fault(at, "expected a view, such as `v0`"))
    }

    pub(super) fn axis(&mut self) -> Parsed<u8> {
        let at = self.here();
        self.word().and_then(axis_of).ok_or_else(|| fault(at, "expected an axis, such as `e0` or `r0`"))
    }

    pub(super) fn dtype(&mut self) -> Parsed<DType> {
        let at = self.here();
        let word = self.word().unwrap_or_default();
        let found = DType::ALL.into_iter().find(|d| d.to_string() == word);
        found.ok_or_else(|| fault(at, format!("`{word}` is no element type")))
    }

    pub(super) fn list(&mut self, limit: usize) -> Parsed<Vec<u64>> {
        self.expect('[')?;
        let mut list = Vec::new();
        if self.eat(']') {
            return Ok(list);
        }
        loop {
            if list.len() == limit {
                return Err(fault(self.here(), format!("more than {limit} numbers")));
            }
            list.push(self.number()?);
            if self.eat(']') {
                return Ok(list);
            }
            self.expect(',')?;
        }
    }

    pub(super) fn id(&mut self) -> Parsed<ValueId> {
        self.expect('%')?;
        self.number()
    }

    pub(super) fn number<T: FromStr>(&mut self) -> Parsed<T> {
        let at = self.here();
        let digits = self.word().filter(|w| w.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|d| d.parse().ok()).ok_or_else(|| fault(at, "expected a number"))
    }

    pub(super) fn keyword(&mut self, word: &str) -> Parsed<()> {
        let at = self.here();
        if self.takes(word) { Ok(()) } else { Err(fault(at, format!("expected `{word}`"))) }
    }

    /// Takes a word if it is the next one.
    pub(super) fn takes(&mut self, word: &str) -> bool {
        let at = self.here();
        let taken = self.word() == Some(word);
        if !taken {
            self.at = at;
        }
        taken
    }

    /// Takes `name =` if it is next.
    pub(super) fn defines(&mut self, name: &str) -> bool {
        let at = self.here();
        let taken = self.takes(name) && self.eat('=');
        if !taken {
            self.at = at;
        }
        taken
    }

    pub(super) fn expect(&mut self, c: char) -> Parsed<()> {
        let at = self.here();
        if self.eat(c) { Ok(()) } else { Err(fault(at, format!("expected `{c}`"))) }
    }

    pub(super) fn eat(&mut self, c: char) -> bool {
        let next = self.peek() == Some(c);
        if next {
            self.at += c.len_utf8();
        }
        next
    }

    /// Letters and digits, with the dot, exponent and its sign of a number.
    pub(super) fn word(&mut self) -> Option<&'t str> {
        let at = self.here();
        let rest = &self.text[at..];
        let mut length = 0;
        let mut before = ' ';
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
        for c in rest.chars() {
            let sign = is_number && before == 'e' && matches!(c, '-' | '+') && !rest.starts_with("0x");
            if length == LONGEST_WORD || !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.') || sign) {
                break;
            }
            length += 1;
            before = c;
        }
        self.at += length;
        (length > 0).then(|| &rest[..length])
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        let at = self.here();
        self.text[at..].chars().next()
    }

    /// Where the next thing begins, behind white space and comments.
    pub(super) fn here(&mut self) -> usize {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            match trimmed.strip_prefix('#') {
                Some(comment) => self.at += 1 + comment.find('\n').unwrap_or(comment.len()),
                None => return self.at,
            }
        }
    }
}

pub(super) fn fault(at: usize, reason: impl Into<String>) -> Fault {
    Fault { at, reason: reason.into() }
}

/// The number behind a letter, such as 3 in `v3`.
pub(super) fn number_after(letter: char, word: &str) -> Option<u8> {
    let digits = word.strip_prefix(letter)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

pub(super) fn numbered(letter: char, number: usize) -> String {
    format!("{letter}{number}")
}

pub(super) fn axis_of(word: &str) -> Option<u8> {
    let element = number_after('e', word).filter(|&e| usize::from(e) < MAX_RANK);
    let reduction = || number_after('r', word).filter(|&r| usize::from(r) < MAX_REDUCTION_AXES);
    element.or_else(|| reduction().map(|r| FIRST_REDUCTION_AXIS + r))
}
