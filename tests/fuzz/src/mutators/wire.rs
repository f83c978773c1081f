//! Any protobuf message as a tree, without its schema.

/// A field with its number and what it holds.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) number: u64,
    pub(super) content: Content,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Varint(u64),
    Eight([u8; 8]),
    Four([u8; 4]),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

/// Messages within messages that are taken apart.
const DEPTH: u32 = 24;

/// The fields of a message; `None` where the bytes are none.
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<Field>> {
    fields(bytes, 0)
}

fn fields(mut bytes: &[u8], depth: u32) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let content = match key & 7 {
            0 => Content::Varint(varint(&mut bytes)?),
            1 => Content::Eight(array(&mut bytes)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (inside, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                inner(inside, depth)
            }
            5 => Content::Four(array(&mut bytes)?),
            _ => return None,
        };
        let number = key >> 3;
        if number == 0 {
            return None;
        }
        fields.push(Field { number, content });
    }
    Some(fields)
}

/// A message if it reads as one: some names do, too.
fn inner(bytes: &[u8], depth: u32) -> Content {
    let message = if depth < DEPTH && bytes.len() > 1 { fields(bytes, depth + 1) } else { None };
    match message {
        Some(fields) if encode(&fields) == bytes => Content::Message(fields),
        _ => Content::Bytes(bytes.to_vec()),
    }
}

/// The bytes of a message.
pub(super) fn encode(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    let put = |out: &mut Vec<u8>, mut x: u64| {
        while x >= 0x80 {
            out.push(x as u8 | 0x80); // seven bits at a time
            x >>= 7;
        }
        out.push(x as u8);
    };
    for Field { number, content } in fields {
        let mut delimited = |bytes: &[u8]| {
            put(&mut out, number << 3 | 2);
            put(&mut out, bytes.len() as u64);
            out.extend(bytes);
        };
        match content {
            Content::Bytes(bytes) => delimited(bytes),
            Content::Message(fields) => delimited(&encode(fields)),
            Content::Varint(x) => {
                put(&mut out, number << 3);
                put(&mut out, *x);
            }
            Content::Eight(bytes) => {
                put(&mut out, number << 3 | 1);
                out.extend(bytes);
            }
            Content::Four(bytes) => {
                put(&mut out, number << 3 | 5);
                out.extend(bytes);
            }
        }
    }
    out
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut x = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = array(bytes)?;
        x |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(x);
        }
    }
    None
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk()?;
    *bytes = tail;
    Some(*head)
}

/// A place in a tree: the index of a field in each message, outermost first.
pub(super) type Place = Vec<usize>;

/// All fields with the numbers of those around them and their own.
pub(super) fn places(fields: &[Field]) -> Vec<(Place, Vec<u64>)> {
    fn walk(fields: &[Field], place: &mut Place, numbers: &mut Vec<u64>, all: &mut Vec<(Place, Vec<u64>)>) {
        for (index, field) in fields.iter().enumerate() {
            place.push(index);
            numbers.push(field.number);
            all.push((place.clone(), numbers.clone()));
            if let Content::Message(inside) = &field.content {
                walk(inside, place, numbers, all);
            }
            place.pop();
            numbers.pop();
        }
    }
    let mut all = Vec::new();
    walk(fields, &mut Vec::new(), &mut Vec::new(), &mut all);
    all
}

/// The message around a place, and the index in it.
pub(super) fn around<'f>(fields: &'f mut Vec<Field>, place: &[usize]) -> Option<(&'f mut Vec<Field>, usize)> {
    let (&first, rest) = place.split_first()?;
    if rest.is_empty() {
        return (first < fields.len()).then_some((fields, first));
    }
    match &mut fields.get_mut(first)?.content {
        Content::Message(inside) => around(inside, rest),
        _ => None,
    }
}

/// The field at a place.
pub(super) fn at<'f>(fields: &'f [Field], place: &[usize]) -> Option<&'f Field> {
    let (&first, rest) = place.split_first()?;
    let field = fields.get(first)?;
    match &field.content {
        _ if rest.is_empty() => Some(field),
        Content::Message(inside) => at(inside, rest),
        _ => None,
    }
}
