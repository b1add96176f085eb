-- Meters that the site signs for, on behalf of foreign devices. Kept for good: whatever is
-- not in here signs for itself.

CREATE TABLE attested_meters (
    meter BYTEA PRIMARY KEY CHECK (octet_length(meter) = 16),
    device TEXT NOT NULL CHECK (length(device) BETWEEN 1 AND 40),
    since_us BIGINT NOT NULL
);

CREATE TRIGGER attested_meters_stay BEFORE UPDATE ON attested_meters
FOR EACH ROW EXECUTE FUNCTION refuse('who vouches for a meter never changes');
CREATE TRIGGER attested_meters_remain BEFORE DELETE ON attested_meters
FOR EACH ROW EXECUTE FUNCTION refuse('who vouches for a meter is never forgotten');
CREATE TRIGGER attested_meters_are_not_emptied BEFORE TRUNCATE ON attested_meters
FOR EACH STATEMENT EXECUTE FUNCTION refuse('who vouches for a meter is never forgotten');
