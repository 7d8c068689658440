//! A strict reader of the Common Event Format, version 0. It shares nothing with the sender under
//! test.

/// A parsed event, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Device Vendor, Device Product, Device Version, Device Event Class ID, Name and Severity.
    pub fields: [String; 6],
    /// Keys and values, in the order written.
    pub extensions: Vec<(String, String)>,
}

impl Event {
    /// Parses a MSG that is one event.
    ///
    /// # Errors
    /// A broken rule of the format.
    pub fn parse(msg: &str) -> Result<Self, String> {
        let mut rest = msg.strip_prefix("CEF:0|").ok_or("it starts with CEF:0|")?;
        let mut fields = Vec::new();
        while fields.len() < 6 {
            let end = unescaped(rest, '|').ok_or("seven bars end the header")?;
            fields.push(unescape(&rest[..end], "\\|", "")?);
            rest = &rest[end + 1..];
        }
        let fields: [String; 6] = fields.try_into().map_err(|_| "six fields")?;
        match fields[5].parse() {
            Ok(0..=10) => {}
            _ => return Err(format!("severity {:?} is not 0 to 10", fields[5])),
        }
        Ok(Event { fields, extensions: extensions(rest)? })
    }

    /// Without the version of the device, which is the sender's own.
    pub fn header(&self) -> [&str; 5] {
        let [vendor, product, _, class, name, severity] = &self.fields;
        [vendor, product, class, name, severity]
    }
}

/// `key=value` pairs. A value ends at the space before the next key; only the `=` after a key is
/// unescaped.
fn extensions(mut rest: &str) -> Result<Vec<(String, String)>, String> {
    let mut extensions: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        let equals = unescaped(rest, '=').ok_or("an extension has a =")?;
        let key = &rest[..equals];
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if key.is_empty() || !key.chars().all(word) {
            return Err(format!("{key:?} is no key"));
        }
        if extensions.iter().any(|(known, _)| known == key) {
            return Err(format!("{key} is there twice"));
        }
        let value = &rest[equals + 1..];
        let (value, next) = match unescaped(value, '=') {
            None => (value, ""),
            Some(next) => {
                let (value, _) = value[..next].rsplit_once(' ').ok_or("a space ends a value")?;
                (value, &rest[equals + 1 + value.len() + 1..])
            }
        };
        extensions.push((key.to_owned(), unescape(value, "\\=", "nr")?));
        rest = next;
    }
    Ok(extensions)
}

/// The position of the first unescaped `wanted`.
fn unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !escaped && c == wanted {
            return Some(at);
        }
        escaped = !escaped && c == '\\';
    }
    None
}

fn unescape(text: &str, quoted: &str, lines: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c) if quoted.contains(c) => plain.push(c),
                Some(c) if lines.contains(c) => plain.push(if c == 'n' { '\n' } else { '\r' }),
                other => return Err(format!("\\ before {other:?} in {text:?}")),
            },
            c if c.is_ascii_control() => return Err(format!("a control character in {text:?}")),
            c => plain.push(c),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_field_by_field() {
        let event = Event::parse(
            r"CEF:0|Security|threat\|manager|1.0|100|detected a \\ in packet|10|src=192.0.2.1 act=blocked a \= b\n\\ dst=192.0.2.2 msg=",
        )
        .expect("an event");
        assert_eq!(
            event.header(),
            ["Security", "threat|manager", "100", r"detected a \ in packet", "10"]
        );
        let extensions = (event.extensions.iter()).map(|(k, v)| (k.as_str(), v.as_str()));
        assert_eq!(
            extensions.collect::<Vec<_>>(),
            [("src", "192.0.2.1"), ("act", "blocked a = b\n\\"), ("dst", "192.0.2.2"), ("msg", ""),]
        );
    }

    #[test]
    fn what_the_format_does_not_allow_is_refused() {
        for msg in [
            "CEF:1|a|b|c|d|e|5|",
            "CEF:0|a|b|c|d|e|5",
            "CEF:0|a|b|c|d|e|11|",
            r"CEF:0|a\n|b|c|d|e|5|",
            "CEF:0|a|b|c|d|e|5|k",
            "CEF:0|a|b|c|d|e|5|k=v=w",
            "CEF:0|a|b|c|d|e|5|k=v k=w",
            r"CEF:0|a|b|c|d|e|5|k=v\",
            "CEF:0|a|b|c|d|e|5|k=\n",
            "CEF:0|a|b|c|d|e|5|a b=c",
        ] {
            assert!(Event::parse(msg).is_err(), "{msg}");
        }
    }
}
