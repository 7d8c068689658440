//! STRUCTURED-DATA: elements, parameters and their escapes, RFC 5424 section 6.3.

use super::input::{Input, ParseError};

/// The SD-IDs without a private enterprise number, RFC 5424 section 7.
const REGISTERED: [&str; 3] = ["timeQuality", "origin", "meta"];

/// One element of the structured data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// SD-ID, such as `cap@0`.
    pub id: String,
    /// PARAM-NAME and unescaped PARAM-VALUE, in the order written. A name may repeat.
    pub params: Vec<(String, String)>,
}

impl Element {
    /// Parses STRUCTURED-DATA alone.
    ///
    /// # Errors
    /// At the first byte that RFC 5424 section 6.3 does not allow there.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, ParseError> {
        let mut input = Input { bytes, at: 0 };
        let elements = parse(&mut input)?;
        match input.peek() {
            None => Ok(elements),
            Some(_) => Err(input.wrong("nothing follows the last element")),
        }
    }

    /// The first value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        let (_, value) = self.params.iter().find(|(key, _)| key == name)?;
        Some(value)
    }
}

pub(super) fn parse(input: &mut Input<'_>) -> Result<Vec<Element>, ParseError> {
    let mut elements: Vec<Element> = Vec::new();
    if input.peek() == Some(b'-') {
        input.at += 1;
        return Ok(elements);
    }
    if input.peek() != Some(b'[') {
        return Err(input.wrong("STRUCTURED-DATA is - or starts with ["));
    }
    while input.peek() == Some(b'[') {
        let at = input.at;
        let element = element(input)?;
        if elements.iter().any(|other| other.id == element.id) {
            return Err(ParseError { at, what: "an SD-ID is there at most once" });
        }
        elements.push(element);
    }
    Ok(elements)
}

fn element(input: &mut Input<'_>) -> Result<Element, ParseError> {
    input.expect(b'[', "an element starts with [")?;
    let at = input.at;
    let id = name(input)?;
    let assigned = match id.split_once('@') {
        None => REGISTERED.contains(&id.as_str()),
        Some((name, number)) => {
            !name.is_empty()
                && (number.split('.'))
                    .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        }
    };
    if !assigned {
        return Err(ParseError { at, what: "an SD-ID is registered, or name@enterprise-number" });
    }
    let mut params = Vec::new();
    while input.peek() == Some(b' ') {
        input.at += 1;
        let name = name(input)?;
        input.expect(b'=', "= follows PARAM-NAME")?;
        params.push((name, value(input)?));
    }
    input.expect(b']', "an element ends with ]")?;
    Ok(Element { id, params })
}

/// SD-NAME: 1 to 32 printable ASCII characters except `=`, `]` and `"`.
fn name(input: &mut Input<'_>) -> Result<String, ParseError> {
    let rest = &input.bytes[input.at..];
    let len = (rest.iter())
        .take_while(|byte| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"'))
        .count();
    if !(1..=32).contains(&len) {
        return Err(input.wrong("a name is 1 to 32 printable ASCII characters without = ] \""));
    }
    input.at += len;
    Ok(String::from_utf8_lossy(&rest[..len]).into_owned())
}

fn value(input: &mut Input<'_>) -> Result<String, ParseError> {
    input.expect(b'"', "PARAM-VALUE starts with \"")?;
    let start = input.at;
    let mut value = Vec::new();
    loop {
        match input.peek() {
            Some(b'"') => break,
            Some(b'\\') => {
                input.at += 1;
                match input.peek() {
                    Some(escaped @ (b'"' | b'\\' | b']')) => value.push(escaped),
                    _ => return Err(input.wrong("only \" \\ and ] are escaped")),
                }
            }
            Some(b']') => return Err(input.wrong("] is escaped in PARAM-VALUE")),
            Some(byte) if byte.is_ascii_control() => {
                return Err(input.wrong("PARAM-VALUE has no control characters"));
            }
            Some(byte) => value.push(byte),
            None => return Err(input.wrong("PARAM-VALUE ends with \"")),
        }
        input.at += 1;
    }
    input.at += 1;
    String::from_utf8(value).map_err(|_| ParseError { at: start, what: "PARAM-VALUE is UTF-8" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Element>, ParseError> {
        let mut input = Input { bytes: text.as_bytes(), at: 0 };
        let elements = parse(&mut input)?;
        assert_eq!(input.at, text.len(), "{text} is read to its end");
        Ok(elements)
    }

    #[test]
    fn values_are_unescaped_and_order_and_repetition_kept() {
        let elements =
            parsed(r#"[cap@0 a="x\"y\\z\]é" b="" a="2"][origin ip="192.0.2.1"]"#).unwrap();
        let params: Vec<_> = (elements[0].params.iter())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(params, [("a", r#"x"y\z]é"#), ("b", ""), ("a", "2")]);
        assert_eq!(elements[1].param("ip"), Some("192.0.2.1"));
        assert_eq!(parsed("[cap@0]").unwrap()[0].params, []);
    }

    #[test]
    fn what_could_end_a_value_or_a_record_early_is_refused() {
        for (text, at) in [
            (r#"[cap@0 a="x]y"]"#, 11),
            (r#"[cap@0 a="x\ny"]"#, 12),
            ("[cap@0 a=\"x\ny\"]", 11),
            ("[cap@0 a=\"x\0y\"]", 11),
            ("[cap@0 a=\"x\u{7f}y\"]", 11),
            (r#"[cap@0 a="x\"#, 12),
            (r#"[cap@0 a="x"#, 11),
            (r#"[cap@0 a="x" b="y""#, 18),
            (r#"[cap@0 a=x]"#, 9),
            (r#"[cap@0 a"b="x"]"#, 8),
            (r#"[cap@0 é="x"]"#, 7),
            (r#"[cap@0  a="x"]"#, 7),
            (r#"[cap@0 a="x" ]"#, 13),
            (r#"[ a="x"]"#, 1),
            (r#"[cap a="x"]"#, 1),
            (r#"[cap@ a="x"]"#, 1),
            (r#"[cap@zero a="x"]"#, 1),
            (r#"[cap@0@0 a="x"]"#, 1),
            (r#"[cap@0][cap@0]"#, 7),
            ("", 0),
        ] {
            let error = parsed(text).expect_err(text);
            assert_eq!(error.at, at, "{text}: {error}");
        }
        assert_eq!(parsed(&format!("[cap@0 {}=\"\"]", "n".repeat(33))).unwrap_err().at, 7);
        assert_eq!(parsed(&format!("[cap@0 {}=\"\"]", "n".repeat(32))).unwrap().len(), 1);
    }
}
