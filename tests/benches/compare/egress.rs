//! What the guard adds to a connection: judging an address.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, TcpListener};

use cap_egress::Policy;
use tokio::net::TcpStream;

use crate::harness::{Bench, Case};

pub(crate) fn run(bench: &mut Bench) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let plain = |count| {
        runtime.block_on(async {
            for _ in 0..count {
                drop(TcpStream::connect(address).await.expect("a connection"));
            }
        });
    };

    let policy = Policy::default();
    let relay: IpAddr = "10.20.30.40".parse().expect("an address");
    bench.compare(
        &Case {
            case: "judge an address",
            peer: "loopback connect",
            floor: 100.0,
        },
        |count| {
            for _ in 0..count {
                let _ = black_box(policy.judge(black_box(relay)));
            }
        },
        plain,
    );
}
