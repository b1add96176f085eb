-- Tariffs as they were announced; the schedule follows from all of them, in order.

CREATE TABLE tariffs (
    number BIGINT PRIMARY KEY CHECK (number > 0),
    from_us BIGINT NOT NULL CHECK (from_us % 900000000 = 0),
    retail_cents_per_kwh BIGINT NOT NULL CHECK (retail_cents_per_kwh > 0),
    buy_back_cents_per_kwh BIGINT NOT NULL CHECK (buy_back_cents_per_kwh > 0),
    grid_fee_cents_per_kwh BIGINT NOT NULL CHECK (grid_fee_cents_per_kwh >= 0),
    tax_cents_per_kwh BIGINT NOT NULL CHECK (tax_cents_per_kwh >= 0),
    origin TEXT NOT NULL CHECK (origin IN ('settings', 'operator')),
    announced_by TEXT,
    key TEXT NOT NULL UNIQUE,
    announced_at_us BIGINT NOT NULL,
    CHECK ((origin = 'operator') = (announced_by IS NOT NULL)),
    CHECK (buy_back_cents_per_kwh + grid_fee_cents_per_kwh + tax_cents_per_kwh <= retail_cents_per_kwh)
);

CREATE TRIGGER tariffs_stay BEFORE UPDATE ON tariffs
FOR EACH ROW EXECUTE FUNCTION refuse('an announced tariff never changes');
CREATE TRIGGER tariffs_remain BEFORE DELETE ON tariffs
FOR EACH ROW EXECUTE FUNCTION refuse('an announced tariff is never removed');
CREATE TRIGGER tariffs_are_not_emptied BEFORE TRUNCATE ON tariffs
FOR EACH STATEMENT EXECUTE FUNCTION refuse('an announced tariff is never removed');
