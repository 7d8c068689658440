//! The comparison of a record with the expected one.

use super::super::cef;
use super::super::rfc5424::Record;
use super::expected::{Expected, Field, MARK};

impl Expected {
    /// Whether these are the fields and the text, or what a too long record may keep of them.
    ///
    /// # Errors
    /// What is wrong.
    pub fn holds(&self, fields: &[(String, String)], text: &str) -> Result<(), String> {
        let kept = (fields.iter())
            .filter(|(name, _)| self.fields.iter().any(|f| f.optional && f.name == *name))
            .count();
        let mut optional = 0;
        let left = self.fields.iter().filter(|field| {
            optional += usize::from(field.optional);
            !field.optional || optional <= kept
        });
        let same = |field: &&Field, (name, value): &(String, String)| {
            field.name == *name && field.value == *value
        };
        let left: Vec<_> = left.collect();
        if left.len() != fields.len() || !left.iter().zip(fields).all(|(f, found)| same(f, found)) {
            return Err(format!("{fields:?} are not {left:?}"));
        }
        let whole = left.len() == self.fields.len() && text == self.text;
        match (whole, self.rendered.len() > self.max) {
            (true, false) => Ok(()),
            (true, true) => Err("a record that is too long lost nothing".to_owned()),
            (false, false) => Err(format!("the record would have fit, but has {text:?}")),
            // A cut escape is read as plain text.
            (false, true) => match text.strip_suffix(MARK) {
                Some(start) if self.text.starts_with(start) => Ok(()),
                _ => Err(format!("{text:?} is no marked start of {:?}", self.text)),
            },
        }
    }

    /// Whether the record is the one expected, read by the strict parser of this crate.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, record: &[u8]) -> Result<(), String> {
        if record.len() > self.max {
            return Err(format!("{} bytes, of {} at most", record.len(), self.max));
        }
        if self.rendered.len() <= self.max && record != self.rendered.as_bytes() {
            let record = String::from_utf8_lossy(record);
            return Err(format!("{record:?} is not {:?}", self.rendered));
        }
        let read = Record::parse(record).map_err(|error| error.to_string())?;
        let header = (
            (read.facility, read.severity, read.timestamp.as_deref()),
            (&read.hostname, &read.app_name, &read.procid, &read.msgid),
        );
        let expected = (
            (self.facility, self.severity, Some(self.timestamp.as_str())),
            (&self.hostname, &self.app_name, &self.procid, &None),
        );
        if header != expected {
            return Err(format!("{header:?} are not {expected:?}"));
        }
        let msg = read.msg.as_deref().unwrap_or_default();
        if self.cef.is_some() {
            return match read.structured_data.as_slice() {
                [] => self.holds_cef(msg),
                other => Err(format!("{other:?} beside CEF")),
            };
        }
        match read.structured_data.as_slice() {
            [element] if Some(&element.id) == self.sd_id.as_ref() => {
                self.holds(&element.params, msg)
            }
            other => Err(format!("{other:?} is not one element {:?}", self.sd_id)),
        }
    }

    /// The same as [`holds`](Self::holds) of a MSG that is CEF, header included.
    ///
    /// # Errors
    /// What is wrong.
    pub fn holds_cef(&self, msg: &str) -> Result<(), String> {
        let read = cef::Event::parse(msg)?;
        let header = self.cef.as_ref().map(|header| header.each_ref().map(String::as_str));
        if header != Some(read.header()) {
            return Err(format!("{:?} is not {header:?}", read.header()));
        }
        let mut fields = read.extensions;
        let text = match fields.last() {
            Some((name, _)) if name == "msg" => fields.pop().map(|(_, text)| text),
            _ => None,
        };
        self.holds(&fields, &text.unwrap_or_default())
    }
}
