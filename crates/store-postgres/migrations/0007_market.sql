-- Households' rules, and the calls of slots: what each decided, kept so that anybody can
-- clear it again, and how far it is carried out.

CREATE TABLE rules (
    household BIGINT PRIMARY KEY,
    rules TEXT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE calls (
    feeder BIGINT NOT NULL,
    slot_start_us BIGINT NOT NULL,
    slot_length_s BIGINT NOT NULL CHECK (slot_length_s > 0),
    state TEXT NOT NULL CHECK (state IN ('cleared', 'settling', 'done')),
    book TEXT NOT NULL,
    carried_out TEXT NOT NULL,
    made_at_us BIGINT NOT NULL,
    done_at_us BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (feeder, slot_start_us),
    CHECK ((state = 'done') = (done_at_us IS NOT NULL))
);
CREATE INDEX calls_live ON calls (slot_start_us, feeder) WHERE state <> 'done';

CREATE TRIGGER calls_stay BEFORE UPDATE OF feeder, slot_start_us, slot_length_s, book, made_at_us ON calls
FOR EACH ROW EXECUTE FUNCTION refuse('what a call decided never changes');
CREATE TRIGGER calls_remain BEFORE DELETE ON calls
FOR EACH ROW EXECUTE FUNCTION refuse('a call is never removed');

-- What rules have spent in a day.
CREATE INDEX orders_of_rules ON orders (created_at_us) WHERE substr(key, 1, 5) = '@buy/';
