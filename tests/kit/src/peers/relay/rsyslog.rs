//! rsyslog's configuration and command line.

use super::{RECORDS, Settings};

/// Property of the output and, of the template, the name.
const PROPERTIES: [(&str, &str); 11] = [
    ("pri", "pri"),
    ("fac", "syslogfacility-text"),
    ("sev", "syslogseverity-text"),
    ("ts", r#"timereported" dateFormat="rfc3339"#),
    ("host", "hostname"),
    ("app", "app-name"),
    ("procid", "procid"),
    ("msgid", "msgid"),
    ("sd", "structured-data"),
    ("msg", "msg"),
    ("raw", "rawmsg"),
];

pub(super) fn command(settings: &Settings<'_>) -> (String, Vec<String>) {
    let Settings {
        folder,
        udp,
        octets,
        newline,
        tls,
        mutual,
    } = settings;
    let folder = folder.display();
    let properties: String = PROPERTIES
        .map(|(outname, name)| {
            format!("  property(outname=\"{outname}\" name=\"{name}\" format=\"jsonf\")\n")
        })
        .concat();
    let input = |kind: &str, port: &u16, more: &str| {
        format!(
            "input(type=\"{kind}\" address=\"127.0.0.1\" port=\"{port}\" ruleset=\"rx\"{more})\n"
        )
    };
    let secured = |mode: &str| {
        format!(
            r#" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="{mode}" streamDriver.CAFile="{folder}/ca.pem" streamDriver.CertFile="{folder}/server.pem" streamDriver.KeyFile="{folder}/server.key""#
        )
    };
    let inputs = [
        input("imudp", udp, ""),
        input("imptcp", octets, ""),
        input("imtcp", newline, ""),
        input("imtcp", tls, &secured("anon")),
        input("imtcp", mutual, &secured("x509/certvalid")),
    ]
    .concat();
    // A second worker, which a burst would start, writes batches out of order.
    let config = format!(
        r#"global(workDirectory="{folder}" maxMessageSize="64k")
main_queue(queue.workerThreads="1")
module(load="imudp")
module(load="imptcp")
module(load="imtcp")
template(name="parsed" type="list" option.jsonf="on") {{
{properties}}}
ruleset(name="rx") {{ action(type="omfile" file="{folder}/{RECORDS}" template="parsed" flushOnTXEnd="on") }}
{inputs}"#
    );
    // It leaves the folder it was started in, so the path is a whole one. A pid file would outlive a kill, and keep the
    // next one from starting when its number belongs to another process by then.
    let file = format!("{folder}/relay.conf");
    let args = ["-n", "-i", "NONE", "-f", &file];
    (config, args.map(str::to_owned).to_vec())
}
