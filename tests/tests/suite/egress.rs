//! Attacks on where our bytes go, over real sockets: a table of attacks and transports.

mod attack;
mod pipeline;

use std::process::Command;

use attack::{Attack, PROXY, Site, Tripwire};
use cap_egress::Policy;
use pipeline::Transport;

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_is_refused_or_ignored_through_every_transport() {
    for attack in Attack::ALL {
        for transport in Transport::ALL {
            match attack.makes_no_sense_through(transport) {
                Some(reason) => println!("{attack:?} through {transport:?}: none, {reason}"),
                None => attack.run(transport).await,
            }
        }
    }
}

/// The control of the whole table, in any environment: what the policy allows arrives.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_arrives_through_every_transport() {
    for transport in Transport::ALL {
        let site = Site::start(transport, Policy::default(), &[&[Site::ALLOWED]]).await;
        let pipeline = site.pipeline(Site::NAME);
        pipeline.send("allowed");
        site.receiver.receives("allowed").await;
        pipeline.shutdown();
    }
}

/// A listener that nothing reaches proves nothing: without the rule, the same name leads to it.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_rule_every_transport_reaches_the_blocked_side() {
    for transport in Transport::ALL {
        let site = Site::start(transport, Policy::default(), &[&[Site::BLOCKED]]).await;
        let pipeline = site.pipeline(Site::NAME);
        pipeline.send("misled");
        site.blocked.is_reached().await;
        pipeline.shutdown();
    }
}

/// Libraries read these variables once in a process, or at each request: so in a new process.
#[test]
fn every_transport_ignores_proxies_of_the_environment() {
    let proxy = Tripwire::set((PROXY, 0).into());
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    let control = "egress::what_is_allowed_arrives_through_every_transport";
    child.args(["--exact", control]);
    for variable in ["http_proxy", "https_proxy", "all_proxy", "grpc_proxy"] {
        let url = format!("http://{}", proxy.addr());
        child.env(variable, &url);
        child.env(variable.to_uppercase(), url);
    }
    child.env_remove("no_proxy").env_remove("NO_PROXY");
    let output = child.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert!(proxy.is_untouched());
}
