-- Tariffs as they were announced; the schedule follows from all of them, in order.

CREATE TABLE tariffs (
    number INTEGER PRIMARY KEY CHECK (number > 0),
    from_us INTEGER NOT NULL CHECK (from_us % 900000000 = 0),
    retail_cents_per_kwh INTEGER NOT NULL CHECK (retail_cents_per_kwh > 0),
    buy_back_cents_per_kwh INTEGER NOT NULL CHECK (buy_back_cents_per_kwh > 0),
    grid_fee_cents_per_kwh INTEGER NOT NULL CHECK (grid_fee_cents_per_kwh >= 0),
    tax_cents_per_kwh INTEGER NOT NULL CHECK (tax_cents_per_kwh >= 0),
    origin TEXT NOT NULL CHECK (origin IN ('settings', 'operator')),
    announced_by TEXT,
    key TEXT NOT NULL UNIQUE,
    announced_at_us INTEGER NOT NULL,
    CHECK ((origin = 'operator') = (announced_by IS NOT NULL)),
    CHECK (buy_back_cents_per_kwh + grid_fee_cents_per_kwh + tax_cents_per_kwh <= retail_cents_per_kwh)
) STRICT;

CREATE TRIGGER tariffs_stay BEFORE UPDATE ON tariffs
BEGIN SELECT RAISE(ABORT, 'an announced tariff never changes'); END;
CREATE TRIGGER tariffs_remain BEFORE DELETE ON tariffs
BEGIN SELECT RAISE(ABORT, 'an announced tariff is never removed'); END;
