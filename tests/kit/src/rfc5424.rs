//! A strict parser of one RFC 5424 record. It shares nothing with the sender under test.
//!
//! It is stricter than relays. It refuses what the RFC asks a receiver to tolerate: an escape of
//! anything but `"`, `\` and `]`, and a control character in a value. A sender cannot rely on that
//! tolerance.

mod input;
mod structured_data;
mod timestamp;

use input::Input;
pub use input::ParseError;
pub use structured_data::Element;

/// A parsed record. A header field that is the NILVALUE `-` is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Facility, 0 to 23.
    pub facility: u8,
    /// Severity, 0 to 7.
    pub severity: u8,
    /// TIMESTAMP as written.
    pub timestamp: Option<String>,
    /// HOSTNAME.
    pub hostname: Option<String>,
    /// APP-NAME.
    pub app_name: Option<String>,
    /// PROCID.
    pub procid: Option<String>,
    /// MSGID.
    pub msgid: Option<String>,
    /// STRUCTURED-DATA, in the order written, values unescaped; empty for the NILVALUE.
    pub structured_data: Vec<Element>,
    /// MSG without its BOM; `None` when the record ends after the structured data.
    pub msg: Option<String>,
}

impl Record {
    /// Parses one record, without any framing.
    ///
    /// # Errors
    /// At the first byte that RFC 5424 section 6 does not allow there.
    pub fn parse(record: &[u8]) -> Result<Self, ParseError> {
        let mut input = Input { bytes: record, at: 0 };
        let pri = pri(&mut input)?;
        let version = input.at;
        if input.until_space()? != b"1" {
            return Err(ParseError { at: version, what: "VERSION is 1" });
        }
        let timestamp = timestamp::parse(&mut input)?;
        let hostname = header(&mut input, 255, "HOSTNAME is 1 to 255 printable ASCII characters")?;
        let app_name = header(&mut input, 48, "APP-NAME is 1 to 48 printable ASCII characters")?;
        let procid = header(&mut input, 128, "PROCID is 1 to 128 printable ASCII characters")?;
        let msgid = header(&mut input, 32, "MSGID is 1 to 32 printable ASCII characters")?;
        let structured_data = structured_data::parse(&mut input)?;
        Ok(Self {
            facility: pri / 8,
            severity: pri % 8,
            timestamp,
            hostname,
            app_name,
            procid,
            msgid,
            structured_data,
            msg: msg(&mut input)?,
        })
    }

    /// The first value of a parameter of the element with that SD-ID.
    pub fn param(&self, sd_id: &str, name: &str) -> Option<&str> {
        let element = (self.structured_data.iter()).find(|element| element.id == sd_id)?;
        element.param(name)
    }
}

fn pri(input: &mut Input<'_>) -> Result<u8, ParseError> {
    input.expect(b'<', "PRI starts with <")?;
    let start = input.at;
    let wrong = ParseError { at: start, what: "PRIVAL is 0 to 191, without a leading zero" };
    while input.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        input.at += 1;
    }
    let digits = &input.bytes[start..input.at];
    if digits.len() > 3 || (digits.len() > 1 && digits[0] == b'0') {
        return Err(wrong);
    }
    let pri = (std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .filter(|pri| *pri <= 191)
        .ok_or(wrong)?;
    input.expect(b'>', "PRI ends with >")?;
    Ok(pri)
}

fn header(
    input: &mut Input<'_>,
    longest: usize,
    what: &'static str,
) -> Result<Option<String>, ParseError> {
    let at = input.at;
    let field = input.until_space()?;
    if field.is_empty() || field.len() > longest || !field.iter().all(u8::is_ascii_graphic) {
        return Err(ParseError { at, what });
    }
    Ok((field != b"-").then(|| String::from_utf8_lossy(field).into_owned()))
}

fn msg(input: &mut Input<'_>) -> Result<Option<String>, ParseError> {
    if input.peek().is_none() {
        return Ok(None);
    }
    input.expect(b' ', "a space comes before MSG")?;
    let msg = &input.bytes[input.at..];
    let msg = std::str::from_utf8(msg)
        .map_err(|error| ParseError { at: input.at + error.valid_up_to(), what: "MSG is UTF-8" })?;
    Ok(Some(msg.strip_prefix('\u{feff}').unwrap_or(msg).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample of the commissioning text.
    const SAMPLE: &str = r#"<174>1 2026-04-21T14:23:45.123Z cap-api-1 certautopilot 12345 - [cap@0 event_id="..." event_type="cert.issued" org_id="..." project_id="..." actor="user:alice@example.com" resource="cert:..."] Certificate issued for api.example.com"#;

    #[test]
    fn the_source_s_sample_is_read_field_by_field() {
        let record = Record::parse(SAMPLE.as_bytes()).expect("a record");
        assert_eq!((record.facility, record.severity), (21, 6));
        assert_eq!(record.timestamp.as_deref(), Some("2026-04-21T14:23:45.123Z"));
        assert_eq!(record.hostname.as_deref(), Some("cap-api-1"));
        assert_eq!(record.app_name.as_deref(), Some("certautopilot"));
        assert_eq!(record.procid.as_deref(), Some("12345"));
        assert_eq!(record.msgid, None);
        let names: Vec<_> =
            (record.structured_data[0].params.iter()).map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["event_id", "event_type", "org_id", "project_id", "actor", "resource"]);
        assert_eq!(record.param("cap@0", "actor"), Some("user:alice@example.com"));
        assert_eq!(record.msg.as_deref(), Some("Certificate issued for api.example.com"));
    }

    #[test]
    fn the_rfc_s_own_examples_are_records() {
        for record in [
            "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed for lonvick on /dev/pts/8",
            "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
            "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"]",
            "<0>1 - - - - - -",
        ] {
            Record::parse(record.as_bytes()).unwrap_or_else(|error| panic!("{record}: {error}"));
        }
    }

    #[test]
    fn a_bom_is_stripped_and_an_empty_msg_is_not_a_missing_one() {
        let msg =
            |tail: &str| Record::parse(format!("<0>1 - - - - - -{tail}").as_bytes()).unwrap().msg;
        assert_eq!(msg(" \u{feff}é\n").as_deref(), Some("é\n"));
        assert_eq!(msg(" ").as_deref(), Some(""));
        assert_eq!(msg(""), None);
    }

    #[test]
    fn what_the_rfc_forbids_is_refused_where_it_stands() {
        let long = |len| "x".repeat(len);
        for (record, at) in [
            ("".to_owned(), 0),
            ("<>1 - - - - - -".to_owned(), 1),
            ("<007>1 - - - - - -".to_owned(), 1),
            ("<192>1 - - - - - -".to_owned(), 1),
            ("<1 - - - - - -".to_owned(), 2),
            ("<1>2 - - - - - -".to_owned(), 3),
            ("<1>1  - - - - - -".to_owned(), 5),
            ("<1>1 - a\u{e9} - - - -".to_owned(), 7),
            ("<1>1 - a\tb - - - -".to_owned(), 7),
            (format!("<1>1 - {} - - - -", long(256)), 7),
            (format!("<1>1 - - {} - - -", long(49)), 9),
            (format!("<1>1 - - - {} - -", long(129)), 11),
            (format!("<1>1 - - - - {} -", long(33)), 13),
            ("<1>1 - - - - -".to_owned(), 14),
            ("<1>1 - - - - - -no space".to_owned(), 16),
        ] {
            let error = Record::parse(record.as_bytes()).expect_err(&record);
            assert_eq!(error.at, at, "{record}: {error}");
        }
        let error = Record::parse(b"<1>1 - - - - - - ab\xff").expect_err("not UTF-8");
        assert_eq!(error.to_string(), "byte 19: MSG is UTF-8");
    }
}
