-- Bills of every slot and day, what was not produced, and the walk of who owes energy.

-- A slot's bills are one row: a month of 80 homes is 2,880 rows and not 230,400.
CREATE TABLE slot_bills (
    feeder BIGINT NOT NULL,
    end_us BIGINT NOT NULL,
    length_s BIGINT NOT NULL CHECK (length_s > 0),
    attested_at_us BIGINT NOT NULL,
    bills TEXT NOT NULL,
    whole BIGINT NOT NULL CHECK (whole IN (0, 1)),
    report TEXT NOT NULL,
    PRIMARY KEY (feeder, end_us)
);
CREATE INDEX slot_bills_whole ON slot_bills (feeder, end_us) WHERE whole = 1;

CREATE TABLE day_bills (
    household BIGINT NOT NULL,
    day BIGINT NOT NULL,
    import_wh BIGINT NOT NULL,
    export_wh BIGINT NOT NULL,
    bought_wh BIGINT NOT NULL,
    sold_wh BIGINT NOT NULL,
    own_use_wh BIGINT NOT NULL,
    shortfall_wh BIGINT NOT NULL,
    paid_cents BIGINT NOT NULL,
    fee_cents BIGINT NOT NULL,
    tax_cents BIGINT NOT NULL,
    received_cents BIGINT NOT NULL,
    owed_cents BIGINT NOT NULL,
    gain_cents BIGINT NOT NULL,
    PRIMARY KEY (household, day)
);

CREATE INDEX orders_settled ON orders (final_at_us, id) WHERE state = 'settled';

CREATE TABLE curtailments (
    number BIGINT PRIMARY KEY,
    feeder BIGINT NOT NULL,
    slot_end_us BIGINT NOT NULL,
    household BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL CHECK (energy_wh > 0),
    reason TEXT COLLATE "C" NOT NULL CHECK (reason IN ('battery_full', 'grid_limit', 'maintenance')),
    note TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    at_us BIGINT NOT NULL
);
CREATE INDEX curtailments_by_slot ON curtailments (feeder, slot_end_us);

CREATE TABLE shortfalls (
    household BIGINT PRIMARY KEY,
    account TEXT NOT NULL,
    -- Journal row through which money that came in has repaid emergency credit.
    journal BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE shortfall_steps (
    household BIGINT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    step TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (household, number)
);

CREATE TRIGGER slot_bills_stay BEFORE UPDATE ON slot_bills
FOR EACH ROW EXECUTE FUNCTION refuse('a bill never changes');
CREATE TRIGGER slot_bills_remain BEFORE DELETE ON slot_bills
FOR EACH ROW EXECUTE FUNCTION refuse('a bill is never removed');
CREATE TRIGGER slot_bills_are_not_emptied BEFORE TRUNCATE ON slot_bills
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a bill is never removed');
CREATE TRIGGER day_bills_stay BEFORE UPDATE ON day_bills
FOR EACH ROW EXECUTE FUNCTION refuse('a bill never changes');
CREATE TRIGGER day_bills_remain BEFORE DELETE ON day_bills
FOR EACH ROW EXECUTE FUNCTION refuse('a bill is never removed');
CREATE TRIGGER day_bills_are_not_emptied BEFORE TRUNCATE ON day_bills
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a bill is never removed');
CREATE TRIGGER curtailments_stay BEFORE UPDATE ON curtailments
FOR EACH ROW EXECUTE FUNCTION refuse('what was recorded never changes');
CREATE TRIGGER curtailments_remain BEFORE DELETE ON curtailments
FOR EACH ROW EXECUTE FUNCTION refuse('what was recorded is never removed');
CREATE TRIGGER curtailments_are_not_emptied BEFORE TRUNCATE ON curtailments
FOR EACH STATEMENT EXECUTE FUNCTION refuse('what was recorded is never removed');
CREATE TRIGGER shortfall_steps_stay BEFORE UPDATE ON shortfall_steps
FOR EACH ROW EXECUTE FUNCTION refuse('a step never changes');
CREATE TRIGGER shortfall_steps_remain BEFORE DELETE ON shortfall_steps
FOR EACH ROW EXECUTE FUNCTION refuse('a step is never removed');
CREATE TRIGGER shortfall_steps_are_not_emptied BEFORE TRUNCATE ON shortfall_steps
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a step is never removed');
