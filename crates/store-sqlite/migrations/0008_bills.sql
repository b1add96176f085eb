-- Bills of every slot and day, what was not produced, and the walk of who owes energy.

-- A slot's bills are one row: a month of 80 homes is 2,880 rows and not 230,400.
CREATE TABLE slot_bills (
    feeder INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    length_s INTEGER NOT NULL CHECK (length_s > 0),
    attested_at_us INTEGER NOT NULL,
    bills TEXT NOT NULL,
    whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
    report TEXT NOT NULL,
    PRIMARY KEY (feeder, end_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX slot_bills_whole ON slot_bills (feeder, end_us) WHERE whole = 1;

CREATE TABLE day_bills (
    household INTEGER NOT NULL,
    day INTEGER NOT NULL,
    import_wh INTEGER NOT NULL,
    export_wh INTEGER NOT NULL,
    bought_wh INTEGER NOT NULL,
    sold_wh INTEGER NOT NULL,
    own_use_wh INTEGER NOT NULL,
    shortfall_wh INTEGER NOT NULL,
    paid_cents INTEGER NOT NULL,
    fee_cents INTEGER NOT NULL,
    tax_cents INTEGER NOT NULL,
    received_cents INTEGER NOT NULL,
    owed_cents INTEGER NOT NULL,
    gain_cents INTEGER NOT NULL,
    PRIMARY KEY (household, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_settled ON orders (final_at_us, id) WHERE state = 'settled';

CREATE TABLE curtailments (
    number INTEGER PRIMARY KEY,
    feeder INTEGER NOT NULL,
    slot_end_us INTEGER NOT NULL,
    household INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL CHECK (energy_wh > 0),
    reason TEXT NOT NULL CHECK (reason IN ('battery_full', 'grid_limit', 'maintenance')),
    note TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX curtailments_by_slot ON curtailments (feeder, slot_end_us);

CREATE TABLE shortfalls (
    household INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    -- Journal row through which money that came in has repaid emergency credit.
    journal INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE shortfall_steps (
    household INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    step TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (household, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER slot_bills_stay BEFORE UPDATE ON slot_bills
BEGIN SELECT RAISE(ABORT, 'a bill never changes'); END;
CREATE TRIGGER slot_bills_remain BEFORE DELETE ON slot_bills
BEGIN SELECT RAISE(ABORT, 'a bill is never removed'); END;
CREATE TRIGGER day_bills_stay BEFORE UPDATE ON day_bills
BEGIN SELECT RAISE(ABORT, 'a bill never changes'); END;
CREATE TRIGGER day_bills_remain BEFORE DELETE ON day_bills
BEGIN SELECT RAISE(ABORT, 'a bill is never removed'); END;
CREATE TRIGGER curtailments_stay BEFORE UPDATE ON curtailments
BEGIN SELECT RAISE(ABORT, 'what was recorded never changes'); END;
CREATE TRIGGER curtailments_remain BEFORE DELETE ON curtailments
BEGIN SELECT RAISE(ABORT, 'what was recorded is never removed'); END;
CREATE TRIGGER shortfall_steps_stay BEFORE UPDATE ON shortfall_steps
BEGIN SELECT RAISE(ABORT, 'a step never changes'); END;
CREATE TRIGGER shortfall_steps_remain BEFORE DELETE ON shortfall_steps
BEGIN SELECT RAISE(ABORT, 'a step is never removed'); END;
