-- What one operator proposes about a review and another decides; reconciliations as
-- they were found; which operator a session is.

CREATE TABLE proposals (
    number BIGINT PRIMARY KEY,
    review TEXT COLLATE "C" NOT NULL,
    decision TEXT NOT NULL,
    note TEXT NOT NULL,
    proposed_by TEXT COLLATE "C" NOT NULL,
    proposed_at_us BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected')),
    decided_by TEXT COLLATE "C",
    decided_at_us BIGINT,
    version BIGINT NOT NULL,
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((state = 'proposed') = (decided_at_us IS NULL)),
    CONSTRAINT two_persons CHECK (state <> 'approved' OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX proposals_waiting ON proposals (review) WHERE state = 'proposed';

CREATE TABLE reconciliations (
    number BIGINT PRIMARY KEY,
    made_at_us BIGINT NOT NULL,
    source TEXT NOT NULL,
    from_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    apart BIGINT NOT NULL CHECK (apart >= 0),
    difference_cents BIGINT NOT NULL,
    report TEXT NOT NULL
);

-- NULL is a household's.
ALTER TABLE sessions ADD COLUMN operator TEXT;

CREATE TRIGGER proposals_end_once BEFORE UPDATE ON proposals
FOR EACH ROW WHEN (OLD.state <> 'proposed') EXECUTE FUNCTION refuse('what was decided stays decided');
CREATE TRIGGER proposals_stay BEFORE UPDATE OF number, review, decision, note, proposed_by, proposed_at_us ON proposals
FOR EACH ROW EXECUTE FUNCTION refuse('a proposal never changes');
CREATE TRIGGER proposals_remain BEFORE DELETE ON proposals
FOR EACH ROW EXECUTE FUNCTION refuse('a proposal is never removed');
CREATE TRIGGER reconciliations_stay BEFORE UPDATE ON reconciliations
FOR EACH ROW EXECUTE FUNCTION refuse('a reconciliation never changes');
CREATE TRIGGER reconciliations_remain BEFORE DELETE ON reconciliations
FOR EACH ROW EXECUTE FUNCTION refuse('a reconciliation is never removed');
