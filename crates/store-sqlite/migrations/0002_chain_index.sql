-- The index of the chain: made from any node, and made anew by forgetting it.
CREATE TABLE chain_transactions (
    sequence INTEGER PRIMARY KEY,
    signature BLOB NOT NULL UNIQUE CHECK (length(signature) = 64),
    slot INTEGER NOT NULL,
    block_time_s INTEGER
) STRICT;

CREATE TABLE chain_events (
    sequence INTEGER NOT NULL REFERENCES chain_transactions (sequence),
    instruction INTEGER NOT NULL,
    inner INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    household INTEGER NOT NULL,
    -- A number of 64 bits that its owner chooses: its bits, signed.
    number INTEGER NOT NULL,
    at_s INTEGER NOT NULL,
    event BLOB NOT NULL,
    call BLOB NOT NULL,
    accounts BLOB NOT NULL CHECK (length(accounts) % 32 = 0),
    PRIMARY KEY (sequence, instruction, inner)
) STRICT, WITHOUT ROWID;
-- Kind 5 is an attestation: about a feeder, not a household.
CREATE INDEX chain_events_of ON chain_events (household, sequence) WHERE kind <> 5;

-- At most one row: how far the chain's list is indexed.
CREATE TABLE chain_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    slot INTEGER NOT NULL,
    transactions INTEGER NOT NULL
) STRICT;
