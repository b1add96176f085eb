-- Phones: what opens a household's menus, and where the text message of a notice stands.

CREATE TABLE handsets (
    household INTEGER PRIMARY KEY,
    pin TEXT,
    code TEXT,
    code_until_us INTEGER,
    codes_sent INTEGER NOT NULL CHECK (codes_sent >= 0),
    codes_since_us INTEGER NOT NULL,
    wrong INTEGER NOT NULL CHECK (wrong >= 0),
    locked_until_us INTEGER,
    muted INTEGER NOT NULL CHECK (muted IN (0, 1)),
    version INTEGER NOT NULL,
    CHECK ((code IS NULL) = (code_until_us IS NULL))
) STRICT;

CREATE TABLE messages (
    key TEXT PRIMARY KEY,
    household INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'unknown', 'sent', 'delivered', 'refused')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    gateway_id TEXT,
    reason TEXT,
    at_us INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_of ON messages (household, at_us);
CREATE INDEX messages_by_gateway ON messages (gateway_id) WHERE gateway_id IS NOT NULL;
CREATE INDEX notices_at ON notices (at_us) WHERE household IS NOT NULL;
CREATE INDEX households_by_number ON households (msisdn) WHERE msisdn IS NOT NULL;
