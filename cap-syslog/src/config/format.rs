//! How a record carries the event.

cap_names::closed_enum! {
    /// How a record carries the event. The envelope, PRI to MSGID, is that of RFC 5424 either way.
    #[derive(Default)]
    #[non_exhaustive]
    pub enum Format: "format" {
        /// The event as structured data, and its summary as the MSG.
        #[default]
        Rfc5424 = "rfc5424",
        /// No structured data, and the event in the MSG as CEF, version 0 of ArcSight's Common
        /// Event Format.
        Cef = "cef",
    }
}
