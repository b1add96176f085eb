-- The first schema, table by table as SQLite's, so that a copy is row by row.
-- Conventions: times are microseconds since 1970 UTC (_us), money is KES cents
-- (_cents), energy is Wh (_wh), numbers are BIGINT, ids numbers or BYTEA, no floats
-- anywhere. A record's version starts at 1 and grows with every change. Text that
-- is looked up or ordered goes by its bytes ("C"), whatever the server's language.

-- One row: who writes locks it, so that there is one writer at a time whatever the
-- processes, and the generation tells whether another one wrote in between.
CREATE TABLE writer (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    generation BIGINT NOT NULL
) WITH (fillfactor = 10);
INSERT INTO writer VALUES (1, 0);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$;

CREATE TABLE households (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('home', 'generator', 'battery', 'loss')),
    alias TEXT NOT NULL,
    name TEXT NOT NULL,
    msisdn BIGINT,
    language TEXT NOT NULL CHECK (language IN ('en', 'sw')),
    -- One settlement meter per record and one record per meter: else a Wh counts twice.
    meter BYTEA UNIQUE CHECK (octet_length(meter) = 16),
    meter_key BYTEA NOT NULL CHECK (octet_length(meter_key) = 32),
    meter_epoch BIGINT NOT NULL,
    export_rating_w BIGINT NOT NULL,
    import_rating_w BIGINT NOT NULL,
    pv_rated_w BIGINT NOT NULL,
    feeder BIGINT NOT NULL,
    chain_address BYTEA CHECK (octet_length(chain_address) = 32),
    enrolled_at_us BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Readings. A stream is one epoch of one meter; readings are stored by it to keep
-- keys short.
CREATE TABLE streams (
    id BIGINT PRIMARY KEY,
    meter BYTEA NOT NULL CHECK (octet_length(meter) = 16),
    epoch BIGINT NOT NULL,
    UNIQUE (meter, epoch)
);

CREATE TABLE household_streams (
    household BIGINT NOT NULL,
    stream BIGINT NOT NULL REFERENCES streams (id),
    PRIMARY KEY (household, stream)
);

-- By number first: meters count alike, so that one slot's readings lie together.
CREATE TABLE readings (
    stream BIGINT NOT NULL REFERENCES streams (id),
    seq BIGINT NOT NULL,
    household BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    import_wh BIGINT NOT NULL,
    export_wh BIGINT NOT NULL,
    generation_wh BIGINT NOT NULL,
    power_w BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    received_at_us BIGINT NOT NULL,
    PRIMARY KEY (seq, stream)
);
CREATE INDEX readings_by_time ON readings (stream, time_us);

CREATE TRIGGER readings_stay BEFORE UPDATE ON readings
FOR EACH ROW EXECUTE FUNCTION refuse('a stored reading never changes');
CREATE TRIGGER readings_remain BEFORE DELETE ON readings
FOR EACH ROW EXECUTE FUNCTION refuse('a stored reading is never removed');
CREATE TRIGGER readings_are_not_emptied BEFORE TRUNCATE ON readings
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a stored reading is never removed');

CREATE TABLE latest_readings (
    meter BYTEA PRIMARY KEY CHECK (octet_length(meter) = 16),
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    stream BIGINT NOT NULL REFERENCES streams (id)
);

CREATE TABLE quarantine (
    id BIGINT PRIMARY KEY,
    meter BYTEA CHECK (octet_length(meter) = 16),
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    received_at_us BIGINT NOT NULL
);

-- Slots.
CREATE TABLE slots (
    feeder BIGINT NOT NULL,
    end_us BIGINT NOT NULL,
    evidence_root BYTEA NOT NULL CHECK (octet_length(evidence_root) = 32),
    signatures TEXT NOT NULL,
    attested_at_us BIGINT,
    PRIMARY KEY (feeder, end_us)
);
CREATE INDEX slots_by_end ON slots (end_us);
CREATE INDEX slots_waiting ON slots (feeder, end_us) WHERE attested_at_us IS NULL;
CREATE INDEX slots_attested ON slots (feeder, end_us) WHERE attested_at_us IS NOT NULL;

CREATE TABLE attested_rows (
    feeder BIGINT NOT NULL,
    end_us BIGINT NOT NULL,
    household BIGINT NOT NULL,
    export_wh BIGINT NOT NULL,
    import_wh BIGINT NOT NULL,
    estimated BIGINT NOT NULL CHECK (estimated IN (0, 1)),
    PRIMARY KEY (feeder, end_us, household),
    FOREIGN KEY (feeder, end_us) REFERENCES slots (feeder, end_us)
);

-- Market.
CREATE TABLE offers (
    id BIGINT PRIMARY KEY,
    seller BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL,
    reserved_wh BIGINT NOT NULL CHECK (reserved_wh >= 0),
    sold_wh BIGINT NOT NULL CHECK (sold_wh >= 0),
    price_cents_per_kwh BIGINT NOT NULL,
    expires_at_us BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('posting', 'open', 'closing', 'closed', 'refused')),
    refusal TEXT,
    signature TEXT COLLATE "C",
    key TEXT COLLATE "C" NOT NULL,
    created_at_us BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (seller, key),
    CHECK (reserved_wh + sold_wh <= energy_wh)
);
CREATE INDEX offers_by_seller ON offers (seller, id);
CREATE INDEX offers_open ON offers (price_cents_per_kwh, created_at_us, id) WHERE state = 'open';
CREATE INDEX offers_live ON offers (id) WHERE state NOT IN ('closed', 'refused');

CREATE TABLE orders (
    id BIGINT PRIMARY KEY,
    buyer BIGINT NOT NULL,
    fee_cents_per_kwh BIGINT NOT NULL,
    tax_cents_per_kwh BIGINT NOT NULL,
    due_cents BIGINT NOT NULL CHECK (due_cents >= 0),
    pay_with TEXT NOT NULL CHECK (pay_with IN ('mpesa', 'balance')),
    state TEXT NOT NULL CHECK (state IN ('planned', 'awaiting_payment', 'receipt_awaited', 'paid', 'settled',
        'releasing', 'released', 'refused')),
    release_reason TEXT CHECK (release_reason IN ('payment_refused', 'payment_timeout', 'paid_short')),
    refusal TEXT,
    deadline_us BIGINT,
    proof_kind BIGINT CHECK (proof_kind IN (1, 2)),
    proof BYTEA UNIQUE CHECK (octet_length(proof) = 32),
    paid_at_us BIGINT,
    placed_signature TEXT,
    final_signature TEXT,
    key TEXT COLLATE "C" NOT NULL,
    created_at_us BIGINT NOT NULL,
    final_at_us BIGINT,
    version BIGINT NOT NULL,
    UNIQUE (buyer, key),
    CHECK ((proof_kind IS NULL) = (proof IS NULL))
);
CREATE INDEX orders_by_buyer ON orders (buyer, id);
CREATE INDEX orders_live ON orders (id) WHERE state NOT IN ('settled', 'released', 'refused');

CREATE TABLE fills (
    order_id BIGINT NOT NULL REFERENCES orders (id),
    position BIGINT NOT NULL CHECK (position BETWEEN 0 AND 3),
    offer BIGINT NOT NULL,
    seller BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL CHECK (energy_wh > 0),
    price_cents_per_kwh BIGINT NOT NULL,
    PRIMARY KEY (order_id, position)
);
CREATE INDEX fills_by_seller ON fills (seller, order_id);
CREATE TRIGGER fills_stay BEFORE UPDATE ON fills
FOR EACH ROW EXECUTE FUNCTION refuse('the fills of an order never change');
CREATE TRIGGER fills_remain BEFORE DELETE ON fills
FOR EACH ROW EXECUTE FUNCTION refuse('the fills of an order never change');
CREATE TRIGGER fills_are_not_emptied BEFORE TRUNCATE ON fills
FOR EACH STATEMENT EXECUTE FUNCTION refuse('the fills of an order never change');

-- Money in.
CREATE TABLE collections (
    order_id BIGINT PRIMARY KEY,
    payer BIGINT NOT NULL,
    msisdn BIGINT NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    reference TEXT COLLATE "C" NOT NULL UNIQUE,
    secret TEXT COLLATE "C" NOT NULL UNIQUE,
    checkout_request_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('planned', 'send_unknown', 'pending', 'receipt_awaited', 'paid',
        'refused', 'expired')),
    refusal_code TEXT,
    receipt TEXT COLLATE "C",
    created_at_us BIGINT NOT NULL,
    next_check_at_us BIGINT,
    checks BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((state = 'refused') = (refusal_code IS NOT NULL))
);
CREATE INDEX collections_live ON collections (order_id) WHERE state NOT IN ('paid', 'refused', 'expired');

CREATE TABLE receipts (
    number BIGINT PRIMARY KEY,
    receipt TEXT COLLATE "C" NOT NULL UNIQUE,
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    paid_at_us BIGINT NOT NULL,
    payer BIGINT,
    used_for TEXT NOT NULL CHECK (used_for IN ('order', 'settled', 'balance', 'suspense')),
    used_id BIGINT,
    received_at_us BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((used_for = 'suspense') = (used_id IS NULL))
);
CREATE INDEX receipts_waiting ON receipts (number) WHERE used_for = 'order';
-- A proof settles at most one order, and an order settles at most once (S1).
CREATE UNIQUE INDEX receipts_settled ON receipts (used_id) WHERE used_for = 'settled';

-- Money out.
CREATE TABLE payouts (
    id BIGINT PRIMARY KEY,
    household BIGINT NOT NULL,
    msisdn BIGINT NOT NULL,
    amount_cents BIGINT NOT NULL,
    sent_cents BIGINT NOT NULL CHECK (sent_cents > 0),
    charge_cents BIGINT NOT NULL CHECK (charge_cents >= 0),
    originator_id TEXT COLLATE "C" NOT NULL UNIQUE,
    secret TEXT COLLATE "C" NOT NULL UNIQUE,
    conversation_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('planned', 'unknown', 'accepted', 'paid', 'failed')),
    failure_code TEXT,
    receipt TEXT COLLATE "C" UNIQUE,
    key TEXT COLLATE "C" NOT NULL,
    created_at_us BIGINT NOT NULL,
    final_at_us BIGINT,
    version BIGINT NOT NULL,
    UNIQUE (household, key),
    CHECK (amount_cents = sent_cents + charge_cents),
    CHECK ((state = 'failed') = (failure_code IS NOT NULL))
);
CREATE INDEX payouts_by_household ON payouts (household, id);
CREATE INDEX payouts_live ON payouts (id) WHERE state NOT IN ('paid', 'failed');

-- The KES ledger. Accounts, reasons and kinds by the codes of crates/ledger.
CREATE TABLE transfers (
    sequence BIGINT PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE CHECK (octet_length(id) = 16),
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    reason BIGINT NOT NULL,
    kind BIGINT NOT NULL CHECK (kind BETWEEN 0 AND 3),
    hold BYTEA REFERENCES transfers (id),
    memo TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    format BIGINT NOT NULL,
    hash BYTEA NOT NULL CHECK (octet_length(hash) = 32),
    CHECK (debit <> credit),
    CHECK ((kind >= 2) = (hold IS NOT NULL))
);
CREATE UNIQUE INDEX transfers_end_a_hold_once ON transfers (hold) WHERE hold IS NOT NULL;
CREATE INDEX transfers_by_debit ON transfers (debit, sequence);
CREATE INDEX transfers_by_credit ON transfers (credit, sequence);
CREATE TRIGGER transfers_stay BEFORE UPDATE ON transfers
FOR EACH ROW EXECUTE FUNCTION refuse('a transfer never changes');
CREATE TRIGGER transfers_remain BEFORE DELETE ON transfers
FOR EACH ROW EXECUTE FUNCTION refuse('a transfer is never removed');
CREATE TRIGGER transfers_are_not_emptied BEFORE TRUNCATE ON transfers
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a transfer is never removed');

-- Projection of the transfers, kept in the same commit.
CREATE TABLE balances (
    account BIGINT PRIMARY KEY,
    debits_cents BIGINT NOT NULL CHECK (debits_cents >= 0),
    credits_cents BIGINT NOT NULL CHECK (credits_cents >= 0),
    debits_held_cents BIGINT NOT NULL CHECK (debits_held_cents >= 0),
    credits_held_cents BIGINT NOT NULL CHECK (credits_held_cents >= 0),
    never_overdrawn BIGINT NOT NULL CHECK (never_overdrawn IN (0, 1)),
    CHECK (never_overdrawn = 0 OR debits_cents + debits_held_cents <= credits_cents),
    -- Households, clearing and suspense cannot be marked otherwise.
    CHECK ((never_overdrawn = 1) = ((account >> 32) IN (20, 21, 22, 40)))
);

-- Callbacks, raw.
CREATE TABLE callbacks (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('stk_result', 'c2b_confirmation', 'b2c_result', 'b2c_timeout')),
    secret TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    source TEXT NOT NULL,
    received_at_us BIGINT NOT NULL,
    outcome TEXT
);
CREATE INDEX callbacks_pending ON callbacks (id) WHERE outcome IS NULL;
CREATE TRIGGER callbacks_stay BEFORE UPDATE OF id, kind, secret, body, source, received_at_us ON callbacks
FOR EACH ROW EXECUTE FUNCTION refuse('a stored callback never changes');
CREATE TRIGGER callbacks_end_once BEFORE UPDATE OF outcome ON callbacks
FOR EACH ROW WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION refuse('a callback is dealt with once');
CREATE TRIGGER callbacks_remain BEFORE DELETE ON callbacks
FOR EACH ROW EXECUTE FUNCTION refuse('a stored callback is never removed');
CREATE TRIGGER callbacks_are_not_emptied BEFORE TRUNCATE ON callbacks
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a stored callback is never removed');

-- Chain.
CREATE TABLE outbox (
    key TEXT COLLATE "C" PRIMARY KEY,
    signature TEXT COLLATE "C" NOT NULL,
    bytes BYTEA NOT NULL,
    last_valid_block_height BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'landed', 'refused')),
    slot BIGINT,
    refusal_code TEXT,
    compute_units BIGINT NOT NULL,
    fee_lamports BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL,
    CHECK ((state = 'landed') = (slot IS NOT NULL)),
    CHECK ((state = 'refused') = (refusal_code IS NOT NULL))
);
CREATE INDEX outbox_landed ON outbox (compute_units, fee_lamports) WHERE state = 'landed';

-- The rest.
CREATE TABLE sessions (
    token_hash BYTEA PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    -- NULL is the operator.
    household BIGINT,
    created_at_us BIGINT NOT NULL,
    expires_at_us BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE settings (
    key TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);

-- The next number that was not handed out, nor reserved to be.
CREATE TABLE numbers (
    sequence TEXT COLLATE "C" PRIMARY KEY,
    next BIGINT NOT NULL
);

