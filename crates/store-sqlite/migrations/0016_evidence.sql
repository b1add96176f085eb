-- In which order readings became durable. The files of evidence follow it: what a lost file
-- held can be written again, hash for hash.

CREATE TABLE evidence_log (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES streams (id),
    seq INTEGER NOT NULL
) STRICT;

-- What was stored before there was an order gets that of its arrival.
INSERT INTO evidence_log (position, stream, seq)
SELECT row_number() OVER (ORDER BY received_at_us, stream, seq), stream, seq FROM readings;

CREATE TRIGGER evidence_log_stays BEFORE UPDATE ON evidence_log
BEGIN SELECT RAISE(ABORT, 'the order of readings never changes'); END;
CREATE TRIGGER evidence_log_remains BEFORE DELETE ON evidence_log
BEGIN SELECT RAISE(ABORT, 'the order of readings is never removed'); END;
