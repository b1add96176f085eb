-- Payments taken back, matters for a person, messages to people; more doors for
-- callbacks, and payouts that are begun again.

CREATE TABLE reversals (
    receipt TEXT PRIMARY KEY,
    reversal TEXT UNIQUE,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    payer INTEGER,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'booked')),
    heard_at_us INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reversals_waiting ON reversals (heard_at_us) WHERE state = 'waiting';

CREATE TABLE reviews (
    key TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    opened_at_us INTEGER NOT NULL,
    closed_at_us INTEGER,
    outcome TEXT,
    version INTEGER NOT NULL,
    CHECK ((closed_at_us IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_open ON reviews (opened_at_us, key) WHERE closed_at_us IS NULL;

CREATE TABLE notices (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    -- NULL is the operator.
    household INTEGER,
    code TEXT NOT NULL,
    en TEXT NOT NULL,
    sw TEXT NOT NULL,
    at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX notices_by_household ON notices (household, number);

ALTER TABLE payouts ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
CREATE INDEX payouts_by_time ON payouts (created_at_us);

-- A receipt may have been taken back before anybody could use it.
CREATE TABLE receipts_next (
    number INTEGER PRIMARY KEY,
    receipt TEXT NOT NULL UNIQUE,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    paid_at_us INTEGER NOT NULL,
    payer INTEGER,
    used_for TEXT NOT NULL CHECK (used_for IN ('order', 'settled', 'balance', 'suspense', 'reversed')),
    used_id INTEGER,
    received_at_us INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CHECK ((used_for IN ('suspense', 'reversed')) = (used_id IS NULL))
) STRICT;
INSERT INTO receipts_next SELECT * FROM receipts;
DROP TABLE receipts;
ALTER TABLE receipts_next RENAME TO receipts;
CREATE INDEX receipts_waiting ON receipts (number) WHERE used_for = 'order';
CREATE UNIQUE INDEX receipts_settled ON receipts (used_id) WHERE used_for = 'settled';

CREATE TABLE callbacks_next (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('stk_result', 'c2b_confirmation', 'b2c_result', 'b2c_timeout',
        'answer', 'answer_timeout')),
    secret TEXT NOT NULL,
    body BLOB NOT NULL,
    source TEXT NOT NULL,
    received_at_us INTEGER NOT NULL,
    outcome TEXT
) STRICT;
INSERT INTO callbacks_next SELECT * FROM callbacks;
DROP TABLE callbacks;
ALTER TABLE callbacks_next RENAME TO callbacks;
CREATE INDEX callbacks_pending ON callbacks (id) WHERE outcome IS NULL;
CREATE TRIGGER callbacks_stay BEFORE UPDATE OF id, kind, secret, body, source, received_at_us ON callbacks
BEGIN SELECT RAISE(ABORT, 'a stored callback never changes'); END;
CREATE TRIGGER callbacks_end_once BEFORE UPDATE OF outcome ON callbacks WHEN OLD.outcome IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a callback is dealt with once'); END;
CREATE TRIGGER callbacks_remain BEFORE DELETE ON callbacks
BEGIN SELECT RAISE(ABORT, 'a stored callback is never removed'); END;
