-- What plausibility rules found of meters and feeders, and what operators decided about it.

CREATE TABLE findings (
    number BIGINT PRIMARY KEY,
    household_id BIGINT,
    meter BYTEA CHECK (length(meter) = 16),
    meter_epoch BIGINT NOT NULL CHECK (meter_epoch >= 0),
    feeder BIGINT NOT NULL CHECK (feeder BETWEEN 0 AND 65535),
    from_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('note', 'hold', 'refuse')),
    evidence TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'refused', 'closed')),
    found_at_us BIGINT NOT NULL,
    decided_by TEXT COLLATE "C",
    decided_at_us BIGINT,
    note TEXT,
    version BIGINT NOT NULL,
    CHECK (from_us < until_us),
    CHECK ((household_id IS NULL) = (meter IS NULL)),
    CHECK ((state = 'open') = (decided_by IS NULL)),
    CHECK ((state = 'open') = (decided_at_us IS NULL))
);
CREATE UNIQUE INDEX findings_open ON findings (feeder, COALESCE(household_id, 0), code) WHERE state = 'open';
CREATE INDEX findings_refused ON findings (number) WHERE state = 'refused';
CREATE INDEX findings_decided ON findings (decided_at_us) WHERE decided_at_us IS NOT NULL;

CREATE TRIGGER findings_end BEFORE UPDATE ON findings
FOR EACH ROW WHEN (NOT (OLD.state = 'open' OR (OLD.state = 'refused' AND NEW.state = 'closed')))
EXECUTE FUNCTION refuse('what was decided stays decided');
CREATE TRIGGER findings_stay BEFORE UPDATE OF number, household_id, meter, meter_epoch, feeder, from_us, until_us, code, severity, evidence, found_at_us
ON findings FOR EACH ROW EXECUTE FUNCTION refuse('what was found never changes');
CREATE TRIGGER findings_remain BEFORE DELETE ON findings
FOR EACH ROW EXECUTE FUNCTION refuse('a finding is never removed');
