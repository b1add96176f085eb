-- What one operator asks for about a meter that counts, and another one approves: that
-- nothing holds it any more, or (with an epoch) that its registers began anew.

ALTER TABLE meters ADD COLUMN request_by TEXT;
ALTER TABLE meters ADD COLUMN request_at_us BIGINT CHECK ((request_at_us IS NULL) = (request_by IS NULL));
ALTER TABLE meters ADD COLUMN request_reason TEXT CHECK ((request_reason IS NULL) = (request_by IS NULL));
ALTER TABLE meters ADD COLUMN request_epoch BIGINT
    CHECK (request_epoch IS NULL OR (request_epoch >= 0 AND request_by IS NOT NULL));
ALTER TABLE meters ADD COLUMN request_import_wh BIGINT
    CHECK ((request_import_wh IS NULL) = (request_epoch IS NULL) AND coalesce(request_import_wh, 0) >= 0);
ALTER TABLE meters ADD COLUMN request_export_wh BIGINT
    CHECK ((request_export_wh IS NULL) = (request_epoch IS NULL) AND coalesce(request_export_wh, 0) >= 0);
ALTER TABLE meters ADD COLUMN request_generation_wh BIGINT
    CHECK ((request_generation_wh IS NULL) = (request_epoch IS NULL) AND coalesce(request_generation_wh, 0) >= 0);
-- Whoever asks does not approve.
ALTER TABLE meters ADD COLUMN request_approved_by TEXT
    CHECK (request_approved_by IS NULL OR (request_by IS NOT NULL AND request_approved_by <> request_by));
ALTER TABLE meters ADD COLUMN request_approved_at_us BIGINT
    CHECK ((request_approved_at_us IS NULL) = (request_approved_by IS NULL));
