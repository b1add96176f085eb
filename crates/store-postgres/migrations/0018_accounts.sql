-- Accounts: what a session is for and on which device, people at the desk, and what they did.

ALTER TABLE sessions ADD COLUMN desk_role TEXT
    CHECK (desk_role IS NULL OR (household IS NULL AND desk_role IN ('operator', 'finance', 'auditor', 'admin', 'all')));
UPDATE sessions SET desk_role = 'all' WHERE household IS NULL;
ALTER TABLE sessions ADD COLUMN device BYTEA CHECK (octet_length(device) = 16);
UPDATE sessions SET device = decode(md5(random()::text || encode(token_hash, 'hex')), 'hex');
ALTER TABLE sessions ADD COLUMN device_name TEXT;
ALTER TABLE sessions ADD COLUMN pin_at_us BIGINT;
CREATE UNIQUE INDEX sessions_by_device ON sessions (device);
CREATE INDEX sessions_of ON sessions (household, expires_at_us) WHERE household IS NOT NULL;

CREATE TABLE operators (
    name TEXT COLLATE "C" PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('operator', 'finance', 'auditor', 'admin')),
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'retired')),
    password TEXT,
    totp_salt BYTEA CHECK (octet_length(totp_salt) = 16),
    totp_step BIGINT,
    invitation BYTEA CHECK (octet_length(invitation) = 32),
    invited_until_us BIGINT,
    since_us BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((invitation IS NULL) = (invited_until_us IS NULL)),
    CHECK (state <> 'active' OR (password IS NOT NULL AND totp_salt IS NOT NULL))
);
CREATE TRIGGER operators_remain BEFORE DELETE ON operators
FOR EACH ROW EXECUTE FUNCTION refuse('an operator is retired, never removed');
CREATE TRIGGER operators_retire_once BEFORE UPDATE ON operators
FOR EACH ROW WHEN (OLD.state = 'retired') EXECUTE FUNCTION refuse('who is retired stays retired');

CREATE TABLE acts (
    number BIGINT PRIMARY KEY CHECK (number > 0),
    at_us BIGINT NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    act TEXT NOT NULL,
    previous BYTEA NOT NULL CHECK (octet_length(previous) = 32),
    hash BYTEA NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE TRIGGER acts_stay BEFORE UPDATE ON acts
FOR EACH ROW EXECUTE FUNCTION refuse('an act never changes');
CREATE TRIGGER acts_remain BEFORE DELETE ON acts
FOR EACH ROW EXECUTE FUNCTION refuse('an act is never removed');
