//! Meters' enrolments, what happened to them, and spans.

use super::people::{versioned, write_record};
use crate::fault::int;
use crate::sql::query;
use jirani_readings::Span;
use jirani_store::words::Word as _;
use jirani_store::{MeterEventRow, MeterRecord, MeterWish, StoreError};
use rusqlite::Connection;

pub(super) fn meter(connection: &Connection, record: &MeterRecord) -> Result<(), StoreError> {
    let (sql, version) = versioned(
        record.version,
        "INSERT INTO meters (meter_key, household, purpose, state, replaces, epoch, modulus_wh, opening_import_wh,
         opening_export_wh, opening_generation_wh, trust, draft, nonce, claimed_by, claimed_at_us, challenged_at_us,
         answered_at_us, approved_by, approved_at_us, reason, held, meter, request_by, request_at_us, request_reason,
         request_epoch, request_import_wh, request_export_wh, request_generation_wh, request_approved_by,
         request_approved_at_us, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
         ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32 + 1)",
        "UPDATE meters SET meter_key = ?1, household = ?2, purpose = ?3, state = ?4, replaces = ?5, epoch = ?6,
         modulus_wh = ?7, opening_import_wh = ?8, opening_export_wh = ?9, opening_generation_wh = ?10, trust = ?11,
         draft = ?12, nonce = ?13, claimed_by = ?14, claimed_at_us = ?15, challenged_at_us = ?16,
         answered_at_us = ?17, approved_by = ?18, approved_at_us = ?19, reason = ?20, held = ?21,
         request_by = ?23, request_at_us = ?24, request_reason = ?25, request_epoch = ?26,
         request_import_wh = ?27, request_export_wh = ?28, request_generation_wh = ?29,
         request_approved_by = ?30, request_approved_at_us = ?31,
         version = version + 1 WHERE meter = ?22 AND version = ?32",
    )?;
    let wh = |what: &'static str, value: u64| int(what, value);
    let request = record.request.as_ref();
    let begins = request.and_then(|request| match request.wish {
        MeterWish::Release => None,
        MeterWish::Epoch { epoch, opening } => Some((epoch, opening)),
    });
    let approved = request.and_then(|request| request.approved.as_ref());
    let query = query(sql)
        .bind(record.key)
        .bind(i64::from(record.household.0))
        .bind(record.purpose.word())
        .bind(record.state.word())
        .bind(record.replaces.map(|meter| meter.0))
        .bind(i64::from(record.epoch))
        .bind(record.modulus_wh.map(|modulus| wh("a modulus", modulus)).transpose()?)
        .bind(wh("an import register", record.opening.import_wh)?)
        .bind(wh("an export register", record.opening.export_wh)?)
        .bind(wh("a generation register", record.opening.generation_wh)?)
        .bind(record.trust.clone())
        .bind(record.draft.clone())
        .bind(record.nonce)
        .bind(record.claimed_by.clone())
        .bind(record.claimed_at.0)
        .bind(record.challenged_at.map(|at| at.0))
        .bind(record.answered_at.map(|at| at.0))
        .bind(record.approved_by.clone())
        .bind(record.approved_at.map(|at| at.0))
        .bind(record.reason.clone())
        .bind(record.held.clone())
        .bind(record.meter.0)
        .bind(request.map(|request| request.asked_by.clone()))
        .bind(request.map(|request| request.asked_at.0))
        .bind(request.map(|request| request.reason.clone()))
        .bind(begins.map(|(epoch, _)| i64::from(epoch)))
        .bind(begins.map(|(_, opening)| wh("an import register", opening.import_wh)).transpose()?)
        .bind(begins.map(|(_, opening)| wh("an export register", opening.export_wh)).transpose()?)
        .bind(begins.map(|(_, opening)| wh("a generation register", opening.generation_wh)).transpose()?)
        .bind(approved.map(|(by, _)| by.clone()))
        .bind(approved.map(|(_, at)| at.0))
        .bind(version);
    write_record(connection, query, || format!("meter {}", record.meter))
}

pub(super) fn event(connection: &Connection, row: &MeterEventRow) -> Result<(), StoreError> {
    let query = query(
        "INSERT INTO meter_events (meter, household, at_us, by_whom, code, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(row.meter.0)
    .bind(row.household.map(|household| i64::from(household.0)))
    .bind(row.at.0)
    .bind(row.by.clone())
    .bind(row.code.clone())
    .bind(row.detail.clone());
    write_record(connection, query, || format!("what happened to meter {}", row.meter))
}

pub(super) fn span(connection: &Connection, span: &Span) -> Result<(), StoreError> {
    let query = query(
        "INSERT INTO spans (household, number, meter, meter_key, epoch, chain_epoch, from_us, base_at_us,
         base_import_wh, base_export_wh, base_generation_wh, offset_import_wh, offset_export_wh,
         offset_generation_wh, reason, note, by_whom, at_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )
    .bind(i64::from(span.household.0))
    .bind(i64::from(span.number))
    .bind(span.meter.0)
    .bind(span.meter_key)
    .bind(i64::from(span.epoch))
    .bind(i64::from(span.chain_epoch))
    .bind(span.from.0)
    .bind(span.base.time.0)
    .bind(int("an import register", span.base.registers.import_wh)?)
    .bind(int("an export register", span.base.registers.export_wh)?)
    .bind(int("a generation register", span.base.registers.generation_wh)?)
    .bind(span.offsets.import_wh)
    .bind(span.offsets.export_wh)
    .bind(span.offsets.generation_wh)
    .bind(span.reason.word())
    .bind(span.note.clone())
    .bind(span.by.clone())
    .bind(span.at.0);
    write_record(connection, query, || format!("span {} of household {}", span.number, span.household))
}
