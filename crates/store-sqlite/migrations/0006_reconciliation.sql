-- What one operator proposes about a review and another decides; reconciliations as
-- they were found; which operator a session is.

CREATE TABLE proposals (
    number INTEGER PRIMARY KEY,
    review TEXT NOT NULL,
    decision TEXT NOT NULL,
    note TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at_us INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected')),
    decided_by TEXT,
    decided_at_us INTEGER,
    version INTEGER NOT NULL,
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((state = 'proposed') = (decided_at_us IS NULL)),
    CONSTRAINT two_persons CHECK (state <> 'approved' OR decided_by <> proposed_by)
) STRICT;
CREATE UNIQUE INDEX proposals_waiting ON proposals (review) WHERE state = 'proposed';

CREATE TABLE reconciliations (
    number INTEGER PRIMARY KEY,
    made_at_us INTEGER NOT NULL,
    source TEXT NOT NULL,
    from_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    apart INTEGER NOT NULL CHECK (apart >= 0),
    difference_cents INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;

-- NULL is a household's.
ALTER TABLE sessions ADD COLUMN operator TEXT;

CREATE TRIGGER proposals_end_once BEFORE UPDATE ON proposals WHEN OLD.state <> 'proposed'
BEGIN SELECT RAISE(ABORT, 'what was decided stays decided'); END;
CREATE TRIGGER proposals_stay BEFORE UPDATE OF number, review, decision, note, proposed_by, proposed_at_us ON proposals
BEGIN SELECT RAISE(ABORT, 'a proposal never changes'); END;
CREATE TRIGGER proposals_remain BEFORE DELETE ON proposals
BEGIN SELECT RAISE(ABORT, 'a proposal is never removed'); END;
CREATE TRIGGER reconciliations_stay BEFORE UPDATE ON reconciliations
BEGIN SELECT RAISE(ABORT, 'a reconciliation never changes'); END;
CREATE TRIGGER reconciliations_remain BEFORE DELETE ON reconciliations
BEGIN SELECT RAISE(ABORT, 'a reconciliation is never removed'); END;
