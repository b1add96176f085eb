-- What a signed transaction is for, what became of it, and what still waits.
ALTER TABLE outbox ADD COLUMN work BLOB NOT NULL DEFAULT x'';
ALTER TABLE outbox ADD COLUMN signed INTEGER NOT NULL DEFAULT 1;
ALTER TABLE outbox ADD COLUMN report BLOB NOT NULL DEFAULT x'';
ALTER TABLE outbox ADD COLUMN landed_at_us INTEGER;
ALTER TABLE outbox ADD COLUMN retry_at_us INTEGER;
CREATE INDEX outbox_unfinished ON outbox (key) WHERE state = 'sent';
CREATE INDEX outbox_by_signature ON outbox (signature);
