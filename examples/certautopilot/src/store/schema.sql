-- Times are milliseconds since 1970, UTC.
CREATE TABLE IF NOT EXISTS certificates (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    domain TEXT NOT NULL,
    issuer_type TEXT NOT NULL,
    status TEXT NOT NULL,
    not_after INTEGER,
    pem TEXT,
    fingerprint TEXT,
    wrapped_key BLOB,
    kek_version INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS certificates_by_project ON certificates (project, id);
CREATE INDEX IF NOT EXISTS certificates_by_kek ON certificates (kek_version, id);

CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    detail TEXT,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    carrier TEXT NOT NULL,
    previous_carrier TEXT,
    certificate_id TEXT,
    project TEXT,
    requested_by TEXT NOT NULL,
    last_error TEXT,
    host TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (state, run_at, id);
CREATE INDEX IF NOT EXISTS jobs_by_certificate ON jobs (certificate_id, state);

CREATE TABLE IF NOT EXISTS audit (
    id TEXT PRIMARY KEY,
    ts INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    actor TEXT NOT NULL,
    resource TEXT,
    project TEXT,
    severity TEXT NOT NULL,
    summary TEXT NOT NULL,
    params TEXT NOT NULL,
    host TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_is_never_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_never_cut BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE IF NOT EXISTS hosts (
    host TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL,
    kek_current INTEGER NOT NULL,
    kek_loaded TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS kek_rotations (
    id TEXT PRIMARY KEY,
    target INTEGER NOT NULL UNIQUE,
    state TEXT NOT NULL,
    requested_by TEXT NOT NULL
) STRICT;
