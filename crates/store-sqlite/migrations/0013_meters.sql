-- Meters: how far each one's enrolment is, what happened to it, and the spans of
-- households' virtual registers.

CREATE TABLE meters (
    meter BLOB PRIMARY KEY CHECK (length(meter) = 16),
    meter_key BLOB NOT NULL UNIQUE CHECK (length(meter_key) = 32),
    household INTEGER NOT NULL CHECK (household > 0),
    purpose TEXT NOT NULL CHECK (purpose IN ('enrol', 'replace', 'rotate')),
    state TEXT NOT NULL CHECK (state IN
        ('claimed', 'challenged', 'answered', 'approved', 'active', 'replaced', 'retired', 'rejected')),
    replaces BLOB CHECK (length(replaces) = 16),
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    modulus_wh INTEGER CHECK (modulus_wh > 0),
    opening_import_wh INTEGER NOT NULL CHECK (opening_import_wh >= 0),
    opening_export_wh INTEGER NOT NULL CHECK (opening_export_wh >= 0),
    opening_generation_wh INTEGER NOT NULL CHECK (opening_generation_wh >= 0),
    trust TEXT NOT NULL CHECK (trust IN ('device', 'gateway')),
    draft TEXT,
    nonce BLOB CHECK (length(nonce) = 32),
    claimed_by TEXT NOT NULL,
    claimed_at_us INTEGER NOT NULL,
    challenged_at_us INTEGER,
    answered_at_us INTEGER,
    approved_by TEXT,
    approved_at_us INTEGER,
    reason TEXT NOT NULL,
    held TEXT,
    version INTEGER NOT NULL,
    -- Whoever claims a meter does not approve it.
    CHECK (approved_by IS NULL OR approved_by <> claimed_by),
    CHECK ((purpose = 'enrol') = (replaces IS NULL))
) STRICT;
-- One meter at a time is on its way to a household.
CREATE UNIQUE INDEX meters_on_their_way ON meters (household)
    WHERE state IN ('claimed', 'challenged', 'answered', 'approved');
-- One meter counts for a household.
CREATE UNIQUE INDEX meters_that_count ON meters (household) WHERE state = 'active';

CREATE TABLE meter_events (
    number INTEGER PRIMARY KEY,
    meter BLOB NOT NULL CHECK (length(meter) = 16),
    household INTEGER,
    at_us INTEGER NOT NULL,
    by_whom TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX meter_events_by_meter ON meter_events (meter, number);

CREATE TABLE spans (
    household INTEGER NOT NULL REFERENCES households (id),
    number INTEGER NOT NULL CHECK (number >= 0),
    meter BLOB NOT NULL CHECK (length(meter) = 16),
    meter_key BLOB NOT NULL CHECK (length(meter_key) = 32),
    epoch INTEGER NOT NULL,
    chain_epoch INTEGER NOT NULL,
    from_us INTEGER NOT NULL,
    base_at_us INTEGER NOT NULL,
    base_import_wh INTEGER NOT NULL,
    base_export_wh INTEGER NOT NULL,
    base_generation_wh INTEGER NOT NULL,
    offset_import_wh INTEGER NOT NULL,
    offset_export_wh INTEGER NOT NULL,
    offset_generation_wh INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN
        ('enrolled', 'reset_proven', 'reset_approved', 'rolled_over', 'replaced', 'key_rotated')),
    note TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (household, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER meter_events_stay BEFORE UPDATE ON meter_events
BEGIN SELECT RAISE(ABORT, 'what happened to a meter never changes'); END;
CREATE TRIGGER meter_events_remain BEFORE DELETE ON meter_events
BEGIN SELECT RAISE(ABORT, 'what happened to a meter is never removed'); END;
CREATE TRIGGER spans_stay BEFORE UPDATE ON spans
BEGIN SELECT RAISE(ABORT, 'a span of registers never changes'); END;
CREATE TRIGGER spans_remain BEFORE DELETE ON spans
BEGIN SELECT RAISE(ABORT, 'a span of registers is never removed'); END;
