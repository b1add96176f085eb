-- Meters that the site signs for, on behalf of foreign devices. Kept for good: whatever is
-- not in here signs for itself.

CREATE TABLE attested_meters (
    meter BLOB PRIMARY KEY CHECK (length(meter) = 16),
    device TEXT NOT NULL CHECK (length(device) BETWEEN 1 AND 40),
    since_us INTEGER NOT NULL
) STRICT;

CREATE TRIGGER attested_meters_stay BEFORE UPDATE ON attested_meters
BEGIN SELECT RAISE(ABORT, 'who vouches for a meter never changes'); END;
CREATE TRIGGER attested_meters_remain BEFORE DELETE ON attested_meters
BEGIN SELECT RAISE(ABORT, 'who vouches for a meter is never forgotten'); END;
