//! Which kind of rule refused an outbound connection.

crate::closed_enum! {
    /// The kind of rule by which the egress policy refused an address or a name.
    ///
    /// The value of the label `class` of `cap_telemetry_egress_denied_total` and of a log field.
    #[non_exhaustive]
    pub enum DenialClass: "denial class" {
        /// An address that reaches only hosts on the same link, such as a cloud metadata service.
        LinkLocal = "link_local",
        /// A cloud provider's metadata or management service, which gives credentials to any
        /// caller.
        Metadata = "metadata",
        /// An unspecified, multicast, broadcast or reserved address, which no server can have.
        NotUnicast = "not_unicast",
        /// A translation or tunnel prefix, which hides the address of the real destination.
        Tunnel = "tunnel",
        /// A range that the operator denied.
        Configured = "configured",
        /// The name of a cloud metadata service, refused before it is resolved.
        Name = "name",
        /// A loopback address, where the operator denied those.
        Loopback = "loopback",
        /// A private, shared or unique local address, where the operator denied those.
        Private = "private",
    }
}
