-- Accounts: what a session is for and on which device, people at the desk, and what they did.

ALTER TABLE sessions ADD COLUMN desk_role TEXT
    CHECK (desk_role IS NULL OR (household IS NULL AND desk_role IN ('operator', 'finance', 'auditor', 'admin', 'all')));
UPDATE sessions SET desk_role = 'all' WHERE household IS NULL;
ALTER TABLE sessions ADD COLUMN device BLOB CHECK (length(device) = 16);
UPDATE sessions SET device = randomblob(16);
ALTER TABLE sessions ADD COLUMN device_name TEXT;
ALTER TABLE sessions ADD COLUMN pin_at_us INTEGER;
CREATE UNIQUE INDEX sessions_by_device ON sessions (device);
CREATE INDEX sessions_of ON sessions (household, expires_at_us) WHERE household IS NOT NULL;

CREATE TABLE operators (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('operator', 'finance', 'auditor', 'admin')),
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'retired')),
    password TEXT,
    totp_salt BLOB CHECK (length(totp_salt) = 16),
    totp_step INTEGER,
    invitation BLOB CHECK (length(invitation) = 32),
    invited_until_us INTEGER,
    since_us INTEGER NOT NULL,
    created_at_us INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CHECK ((invitation IS NULL) = (invited_until_us IS NULL)),
    CHECK (state <> 'active' OR (password IS NOT NULL AND totp_salt IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER operators_remain BEFORE DELETE ON operators
BEGIN SELECT RAISE(ABORT, 'an operator is retired, never removed'); END;
CREATE TRIGGER operators_retire_once BEFORE UPDATE ON operators WHEN OLD.state = 'retired'
BEGIN SELECT RAISE(ABORT, 'who is retired stays retired'); END;

CREATE TABLE acts (
    number INTEGER PRIMARY KEY CHECK (number > 0),
    at_us INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    act TEXT NOT NULL,
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER acts_stay BEFORE UPDATE ON acts
BEGIN SELECT RAISE(ABORT, 'an act never changes'); END;
CREATE TRIGGER acts_remain BEFORE DELETE ON acts
BEGIN SELECT RAISE(ABORT, 'an act is never removed'); END;
