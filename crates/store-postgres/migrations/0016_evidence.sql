-- In which order readings became durable. The files of evidence follow it: what a lost file
-- held can be written again, hash for hash.

CREATE TABLE evidence_log (
    position BIGINT PRIMARY KEY,
    stream BIGINT NOT NULL REFERENCES streams (id),
    seq BIGINT NOT NULL
);

-- What was stored before there was an order gets that of its arrival.
INSERT INTO evidence_log (position, stream, seq)
SELECT row_number() OVER (ORDER BY received_at_us, stream, seq), stream, seq FROM readings;

CREATE TRIGGER evidence_log_stays BEFORE UPDATE ON evidence_log
FOR EACH ROW EXECUTE FUNCTION refuse('the order of readings never changes');
CREATE TRIGGER evidence_log_remains BEFORE DELETE ON evidence_log
FOR EACH ROW EXECUTE FUNCTION refuse('the order of readings is never removed');
CREATE TRIGGER evidence_log_is_not_emptied BEFORE TRUNCATE ON evidence_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse('the order of readings is never removed');
