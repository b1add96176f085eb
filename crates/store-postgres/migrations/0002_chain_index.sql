-- The index of the chain: made from any node, and made anew by forgetting it.
CREATE TABLE chain_transactions (
    sequence BIGINT PRIMARY KEY,
    signature BYTEA NOT NULL UNIQUE CHECK (octet_length(signature) = 64),
    slot BIGINT NOT NULL,
    block_time_s BIGINT
);

CREATE TABLE chain_events (
    sequence BIGINT NOT NULL REFERENCES chain_transactions (sequence),
    instruction BIGINT NOT NULL,
    "inner" BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    household BIGINT NOT NULL,
    -- A number of 64 bits that its owner chooses: its bits, signed.
    number BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    event BYTEA NOT NULL,
    call BYTEA NOT NULL,
    accounts BYTEA NOT NULL CHECK (octet_length(accounts) % 32 = 0),
    PRIMARY KEY (sequence, instruction, "inner")
);
-- Kind 5 is an attestation: about a feeder, not a household.
CREATE INDEX chain_events_of ON chain_events (household, sequence) WHERE kind <> 5;

-- At most one row: how far the chain's list is indexed.
CREATE TABLE chain_cursor (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    signature BYTEA NOT NULL CHECK (octet_length(signature) = 64),
    slot BIGINT NOT NULL,
    transactions BIGINT NOT NULL
);
