-- What a signed transaction is for, what became of it, and what still waits.
ALTER TABLE outbox ADD COLUMN work BYTEA NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN signed BIGINT NOT NULL DEFAULT 1;
ALTER TABLE outbox ADD COLUMN report BYTEA NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN landed_at_us BIGINT;
ALTER TABLE outbox ADD COLUMN retry_at_us BIGINT;
CREATE INDEX outbox_unfinished ON outbox (key) WHERE state = 'sent';
CREATE INDEX outbox_by_signature ON outbox (signature);
