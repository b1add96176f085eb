-- What plausibility rules found of meters and feeders, and what operators decided about it.

CREATE TABLE findings (
    number INTEGER PRIMARY KEY,
    household_id INTEGER,
    meter BLOB CHECK (length(meter) = 16),
    meter_epoch INTEGER NOT NULL CHECK (meter_epoch >= 0),
    feeder INTEGER NOT NULL CHECK (feeder BETWEEN 0 AND 65535),
    from_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    code TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('note', 'hold', 'refuse')),
    evidence TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'refused', 'closed')),
    found_at_us INTEGER NOT NULL,
    decided_by TEXT,
    decided_at_us INTEGER,
    note TEXT,
    version INTEGER NOT NULL,
    CHECK (from_us < until_us),
    CHECK ((household_id IS NULL) = (meter IS NULL)),
    CHECK ((state = 'open') = (decided_by IS NULL)),
    CHECK ((state = 'open') = (decided_at_us IS NULL))
) STRICT;
CREATE UNIQUE INDEX findings_open ON findings (feeder, COALESCE(household_id, 0), code) WHERE state = 'open';
CREATE INDEX findings_refused ON findings (number) WHERE state = 'refused';
CREATE INDEX findings_decided ON findings (decided_at_us) WHERE decided_at_us IS NOT NULL;

CREATE TRIGGER findings_end BEFORE UPDATE ON findings
WHEN NOT (OLD.state = 'open' OR (OLD.state = 'refused' AND NEW.state = 'closed'))
BEGIN SELECT RAISE(ABORT, 'what was decided stays decided'); END;
CREATE TRIGGER findings_stay BEFORE UPDATE OF number, household_id, meter, meter_epoch, feeder, from_us, until_us, code, severity, evidence, found_at_us
ON findings
BEGIN SELECT RAISE(ABORT, 'what was found never changes'); END;
CREATE TRIGGER findings_remain BEFORE DELETE ON findings
BEGIN SELECT RAISE(ABORT, 'a finding is never removed'); END;
