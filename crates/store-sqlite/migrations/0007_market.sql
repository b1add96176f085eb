-- Households' rules, and the calls of slots: what each decided, kept so that anybody can
-- clear it again, and how far it is carried out.

CREATE TABLE rules (
    household INTEGER PRIMARY KEY,
    rules TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE calls (
    feeder INTEGER NOT NULL,
    slot_start_us INTEGER NOT NULL,
    slot_length_s INTEGER NOT NULL CHECK (slot_length_s > 0),
    state TEXT NOT NULL CHECK (state IN ('cleared', 'settling', 'done')),
    book TEXT NOT NULL,
    carried_out TEXT NOT NULL,
    made_at_us INTEGER NOT NULL,
    done_at_us INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (feeder, slot_start_us),
    CHECK ((state = 'done') = (done_at_us IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_live ON calls (slot_start_us, feeder) WHERE state <> 'done';

CREATE TRIGGER calls_stay BEFORE UPDATE OF feeder, slot_start_us, slot_length_s, book, made_at_us ON calls
BEGIN SELECT RAISE(ABORT, 'what a call decided never changes'); END;
CREATE TRIGGER calls_remain BEFORE DELETE ON calls
BEGIN SELECT RAISE(ABORT, 'a call is never removed'); END;

-- What rules have spent in a day.
CREATE INDEX orders_of_rules ON orders (created_at_us) WHERE substr(key, 1, 5) = '@buy/';
