//! Audit entries are written with the change they record, and forwarded once both are committed.

use std::time::Duration;

use cap_telemetry::names::Actor;
use cap_testkit::{LONG, until_async};

use super::*;
use crate::audit::{Entry, EventType};

/// A store, and the ids of the entries it forwards.
fn store() -> (Store, Arc<Mutex<Vec<String>>>) {
    let forwarded = Arc::new(Mutex::new(Vec::new()));
    let seen = forwarded.clone();
    let forward = move |commit: &Commit| {
        lock(&seen).extend(commit.recorded.iter().map(|entry| entry.id.clone()));
    };
    let store = Store::open(Path::new(":memory:"), "here", Tracer::disabled(), forward);
    (store.unwrap(), forwarded)
}

fn entry() -> Entry {
    let summary = "bob is now viewer of p1";
    Entry::new(EventType::RoleChanged, Actor::user("alice"), summary)
}

async fn page(store: &Store, after: Option<&str>) -> Option<Vec<String>> {
    let after = after.map(str::to_owned);
    let list = move |db: &_| audit::list(db, after.as_deref(), 100);
    let list = store.read::<_, Error>("audit", list).await.unwrap()?;
    Some(list.into_iter().map(|entry| entry.id).collect())
}

#[tokio::test]
async fn a_reader_who_continues_misses_no_smaller_id() {
    let (store, _) = store();
    for id in ["evt_2", "evt_3", "evt_1"] {
        let id = id.to_owned();
        let record = |work: &mut Work<'_>| work.record(Entry { id, ..entry() });
        store.write("insert", "audit", record).await.unwrap();
    }
    assert_eq!(page(&store, None).await.unwrap(), ["evt_2", "evt_3", "evt_1"]);
    assert_eq!(page(&store, Some("evt_3")).await.unwrap(), ["evt_1"]);
    assert_eq!(page(&store, Some("evt_1")).await.unwrap(), [""; 0]);
    assert_eq!(page(&store, Some("evt_9")).await, None);
}

#[tokio::test]
async fn a_change_that_fails_has_no_row_and_forwards_nothing() {
    let (store, forwarded) = store();
    let change = |work: &mut Work<'_>| {
        settings::put(work, "role", &"viewer")?;
        work.record(entry())?;
        Err::<(), _>(Error::Interrupted)
    };
    let failed = store.write("update", "settings", change).await;
    assert!(matches!(failed, Err(Error::Interrupted)));
    assert_eq!(page(&store, None).await.unwrap(), [""; 0]);
    let role = store.read("settings", |db| settings::get::<String>(db, "role")).await;
    assert_eq!(role.unwrap(), None, "the role was rolled back too");
    assert_eq!(*lock(&forwarded), [""; 0]);
}

#[tokio::test]
async fn a_commit_is_forwarded_though_its_caller_hung_up() {
    let (store, forwarded) = store();
    let write = store.write("insert", "audit", |work| {
        std::thread::sleep(Duration::from_millis(50));
        work.record(entry())
    });
    let cut_off = tokio::time::timeout(Duration::from_millis(5), write).await;
    assert!(cut_off.is_err(), "the caller did not wait");
    until_async("the forwarded entry", LONG, async || !lock(&forwarded).is_empty()).await;
    let rows = page(&store, None).await.unwrap();
    assert_eq!(*lock(&forwarded), rows);
}

#[tokio::test]
async fn rows_are_neither_changed_nor_deleted() {
    let (store, _) = store();
    store.write("insert", "audit", |work| work.record(entry())).await.unwrap();
    for statement in ["UPDATE audit SET summary = ''", "DELETE FROM audit"] {
        let tamper = move |work: &mut Work<'_>| Ok::<_, Error>(work.execute(statement, [])?);
        let tampered = store.write("update", "audit", tamper).await;
        assert!(tampered.unwrap_err().to_string().contains("append-only"));
    }
    assert_eq!(page(&store, None).await.unwrap().len(), 1);
}
