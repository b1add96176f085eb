-- Phones: what opens a household's menus, and where the text message of a notice stands.

CREATE TABLE handsets (
    household BIGINT PRIMARY KEY,
    pin TEXT,
    code TEXT,
    code_until_us BIGINT,
    codes_sent BIGINT NOT NULL CHECK (codes_sent >= 0),
    codes_since_us BIGINT NOT NULL,
    wrong BIGINT NOT NULL CHECK (wrong >= 0),
    locked_until_us BIGINT,
    muted BIGINT NOT NULL CHECK (muted IN (0, 1)),
    version BIGINT NOT NULL,
    CHECK ((code IS NULL) = (code_until_us IS NULL))
);

CREATE TABLE messages (
    key TEXT COLLATE "C" PRIMARY KEY,
    household BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'unknown', 'sent', 'delivered', 'refused')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    gateway_id TEXT COLLATE "C",
    reason TEXT,
    at_us BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX messages_of ON messages (household, at_us);
CREATE INDEX messages_by_gateway ON messages (gateway_id) WHERE gateway_id IS NOT NULL;
CREATE INDEX notices_at ON notices (at_us) WHERE household IS NOT NULL;
CREATE INDEX households_by_number ON households (msisdn) WHERE msisdn IS NOT NULL;
