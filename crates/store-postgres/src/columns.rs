//! Takes a row's columns one after another, each as the type its place needs, so
//! that a SELECT's list and the record's fields can be read side by side.

use crate::fault::fault;
use jirani_ledger::Account;
use jirani_store::StoreError;
use jirani_store::words::Word;
use jirani_units::{Cents, HouseholdId, MeterId, Msisdn, Price, Receipt, Timestamp, Wh};
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row, Type};

type Read<T> = Result<T, StoreError>;

/// A row and the place of its next column.
pub(crate) struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    /// Starts at the first column.
    pub(crate) fn of(row: &'r PgRow) -> Self {
        Self { row, next: 0 }
    }

    /// The next column, as the database has it.
    pub(crate) fn take<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Read<T> {
        let place = self.next;
        self.next += 1;
        self.row.try_get(place).map_err(fault)
    }

    fn damaged(&self, what: &str) -> StoreError {
        StoreError::Damaged { what: format!("column {} of a stored row is no {what}", self.next) }
    }

    fn narrow<T: TryFrom<i64>>(&mut self, what: &str) -> Read<T> {
        let number: i64 = self.take()?;
        T::try_from(number).map_err(|_| self.damaged(what))
    }

    fn narrow_maybe<T: TryFrom<i64>>(&mut self, what: &str) -> Read<Option<T>> {
        let number: Option<i64> = self.take()?;
        number.map(T::try_from).transpose().map_err(|_| self.damaged(what))
    }

    pub(crate) fn u64(&mut self) -> Read<u64> {
        self.narrow("number")
    }

    pub(crate) fn u64_maybe(&mut self) -> Read<Option<u64>> {
        self.narrow_maybe("number")
    }

    pub(crate) fn u32_maybe(&mut self) -> Read<Option<u32>> {
        self.narrow_maybe("32-bit number")
    }

    pub(crate) fn u32(&mut self) -> Read<u32> {
        self.narrow("32-bit number")
    }

    pub(crate) fn u16(&mut self) -> Read<u16> {
        self.narrow("16-bit number")
    }

    pub(crate) fn i32(&mut self) -> Read<i32> {
        self.narrow("32-bit number")
    }

    pub(crate) fn flag(&mut self) -> Read<bool> {
        Ok(self.take::<i64>()? != 0)
    }

    pub(crate) fn text(&mut self) -> Read<String> {
        self.take()
    }

    pub(crate) fn text_maybe(&mut self) -> Read<Option<String>> {
        self.take()
    }

    pub(crate) fn time(&mut self) -> Read<Timestamp> {
        Ok(Timestamp(self.take()?))
    }

    pub(crate) fn time_maybe(&mut self) -> Read<Option<Timestamp>> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp))
    }

    pub(crate) fn wh(&mut self) -> Read<Wh> {
        Ok(Wh(self.u64()?))
    }

    pub(crate) fn price(&mut self) -> Read<Price> {
        Ok(Price(self.u32()?))
    }

    pub(crate) fn cents(&mut self) -> Read<Cents> {
        Ok(Cents(self.take()?))
    }

    pub(crate) fn household(&mut self) -> Read<HouseholdId> {
        Ok(HouseholdId(self.u32()?))
    }

    pub(crate) fn household_maybe(&mut self) -> Read<Option<HouseholdId>> {
        Ok(self.narrow_maybe("household")?.map(HouseholdId))
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> Read<[u8; N]> {
        let bytes: &[u8] = self.take()?;
        bytes.try_into().map_err(|_| self.damaged("blob of the right length"))
    }

    pub(crate) fn bytes_maybe<const N: usize>(&mut self) -> Read<Option<[u8; N]>> {
        let bytes: Option<&[u8]> = self.take()?;
        bytes.map(<[u8; N]>::try_from).transpose().map_err(|_| self.damaged("blob of the right length"))
    }

    pub(crate) fn meter(&mut self) -> Read<MeterId> {
        Ok(MeterId(self.bytes()?))
    }

    pub(crate) fn meter_maybe(&mut self) -> Read<Option<MeterId>> {
        Ok(self.bytes_maybe()?.map(MeterId))
    }

    pub(crate) fn word<T: Word>(&mut self) -> Read<T> {
        let word: &str = self.take()?;
        T::from_word(word).ok_or_else(|| self.damaged("known word"))
    }

    pub(crate) fn word_maybe<T: Word>(&mut self) -> Read<Option<T>> {
        match self.take::<Option<&str>>()? {
            None => Ok(None),
            Some(word) => T::from_word(word).map(Some).ok_or_else(|| self.damaged("known word")),
        }
    }

    pub(crate) fn parsed<T: std::str::FromStr>(&mut self) -> Read<T> {
        let text: &str = self.take()?;
        text.parse().map_err(|_| self.damaged("well-formed text"))
    }

    pub(crate) fn receipt_maybe(&mut self) -> Read<Option<Receipt>> {
        let text: Option<&str> = self.take()?;
        text.map(str::parse).transpose().map_err(|_| self.damaged("receipt"))
    }

    pub(crate) fn msisdn(&mut self) -> Read<Msisdn> {
        self.msisdn_maybe()?.ok_or_else(|| self.damaged("phone number"))
    }

    pub(crate) fn msisdn_maybe(&mut self) -> Read<Option<Msisdn>> {
        let number: Option<i64> = self.take()?;
        number.map(|n| n.to_string().parse()).transpose().map_err(|_| self.damaged("phone number"))
    }

    pub(crate) fn account(&mut self) -> Read<Account> {
        let code: i64 = self.take()?;
        Account::from_code(code).ok_or_else(|| self.damaged("account"))
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Read<T> {
        let text: &str = self.take()?;
        serde_json::from_str(text).map_err(|_| self.damaged("list"))
    }
}
