-- Payments taken back, matters for a person, messages to people; more doors for
-- callbacks, and payouts that are begun again.

CREATE TABLE reversals (
    receipt TEXT COLLATE "C" PRIMARY KEY,
    reversal TEXT COLLATE "C" UNIQUE,
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    payer BIGINT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'booked')),
    heard_at_us BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX reversals_waiting ON reversals (heard_at_us) WHERE state = 'waiting';

CREATE TABLE reviews (
    key TEXT COLLATE "C" PRIMARY KEY,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    opened_at_us BIGINT NOT NULL,
    closed_at_us BIGINT,
    outcome TEXT,
    version BIGINT NOT NULL,
    CHECK ((closed_at_us IS NULL) = (outcome IS NULL))
);
CREATE INDEX reviews_open ON reviews (opened_at_us, key) WHERE closed_at_us IS NULL;

CREATE TABLE notices (
    number BIGINT PRIMARY KEY,
    key TEXT COLLATE "C" NOT NULL UNIQUE,
    -- NULL is the operator.
    household BIGINT,
    code TEXT NOT NULL,
    en TEXT NOT NULL,
    sw TEXT NOT NULL,
    at_us BIGINT NOT NULL
);
CREATE INDEX notices_by_household ON notices (household, number);

ALTER TABLE payouts ADD COLUMN attempt BIGINT NOT NULL DEFAULT 1;
CREATE INDEX payouts_by_time ON payouts (created_at_us);

-- A receipt may have been taken back before anybody could use it.
ALTER TABLE receipts DROP CONSTRAINT receipts_used_for_check;
ALTER TABLE receipts ADD CONSTRAINT receipts_used_for_check
    CHECK (used_for IN ('order', 'settled', 'balance', 'suspense', 'reversed'));
ALTER TABLE receipts DROP CONSTRAINT receipts_check;
ALTER TABLE receipts ADD CONSTRAINT receipts_check
    CHECK ((used_for IN ('suspense', 'reversed')) = (used_id IS NULL));

ALTER TABLE callbacks DROP CONSTRAINT callbacks_kind_check;
ALTER TABLE callbacks ADD CONSTRAINT callbacks_kind_check
    CHECK (kind IN ('stk_result', 'c2b_confirmation', 'b2c_result', 'b2c_timeout', 'answer', 'answer_timeout'));
