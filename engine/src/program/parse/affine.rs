//! Affine forms with their indices, and guards.

use super::cursor::{Cursor, Parsed, fault};
use crate::program::limits::*;
use crate::program::types::*;

impl Cursor<'_> {
    pub(super) fn guard(&mut self) -> Parsed<Guard> {
        let at = self.here();
        if self.number::<u64>()? != 0 {
            return Err(fault(at, "a guard is `0 <= form < limit`"));
        }
        self.expect('<')?;
        self.expect('=')?;
        let affine = self.affine()?;
        self.expect('<')?;
        Ok(Guard { affine, limit: self.number()? })
    }

    /// Terms, then the constant part.
    fn affine(&mut self) -> Parsed<Affine> {
        self.form(None)
    }

    /// An affine form; behind it indirect terms, if they are asked for.
    pub(super) fn form(&mut self, mut indirects: Option<&mut Vec<Indirect>>) -> Parsed<Affine> {
        let mut affine = Affine::default();
        let mut negative = self.eat('-');
        let mut last = false;
        loop {
            let at = self.here();
            let digit = self.peek().is_some_and(|c| c.is_ascii_digit());
            let magnitude = if digit { Some(self.number::<u64>()?) } else { None };
            let signed = i128::from(magnitude.unwrap_or(1)) * if negative { -1 } else { 1 };
            let signed = i64::try_from(signed).map_err(|_| fault(at, "it does not fit 64 bits"))?;
            let alone = magnitude.is_some() && !self.eat('*');
            match indirects.as_deref_mut() {
                Some(terms) if !alone && self.takes("index") => {
                    if terms.len() == MAX_INDIRECTS {
                        return Err(fault(at, format!("more than {MAX_INDIRECTS} indices")));
                    }
                    last = true;
                    terms.push(self.index(signed)?);
                }
                _ if last => return Err(fault(at, "axes stand before the number, and both before indices")),
                _ if alone => {
                    last = true;
                    affine.base = signed;
                }
                _ if affine.terms.len() == MAX_RANK + MAX_REDUCTION_AXES => {
                    return Err(fault(at, "more terms than axes"));
                }
                _ => affine.terms.push((self.axis()?, signed)),
            }
            if alone && indirects.is_none() {
                return Ok(affine);
            }
            negative = self.eat('-');
            if !negative && !self.eat('+') {
                return Ok(affine);
            }
        }
    }

    fn index(&mut self, coefficient: i64) -> Parsed<Indirect> {
        self.expect('(')?;
        let view = self.view_number()?;
        self.expect(',')?;
        let limit = self.number()?;
        self.expect(')')?;
        Ok(Indirect { view, limit, coefficient })
    }
}
