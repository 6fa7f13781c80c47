//! Values and rows.

use super::error::{SqlError, SqlResult};

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row of a query, taken from its first column to its last.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// Takes the next column.
    pub(crate) fn take<T: FromValue>(&mut self) -> SqlResult<T> {
        T::from_value(self.0.next().unwrap_or(Value::Null))
    }
}

/// A type that columns are read as.
pub(crate) trait FromValue: Sized {
    fn from_value(value: Value) -> SqlResult<Self>;
}

impl FromValue for String {
    fn from_value(value: Value) -> SqlResult<Self> {
        match value {
            Value::Text(text) => Ok(text),
            _ => Err(SqlError::Column("text")),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> SqlResult<Self> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(SqlError::Column("blob")),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> SqlResult<Self> {
        i64::from_value(value).map(|value| value != 0)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> SqlResult<Self> {
        if value == Value::Null { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl FromValue for $integer {
            fn from_value(value: Value) -> SqlResult<Self> {
                match value {
                    Value::Integer(value) => {
                        value.try_into().map_err(|_| SqlError::Column(stringify!($integer)))
                    }
                    _ => Err(SqlError::Column(stringify!($integer))),
                }
            }
        }
    )*};
}
integers!(i64, u32, u16, u8, u64, usize);

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Self::Integer(value.into())
            }
        }
    )*};
}
from_integers!(i64, u32, u16, u8, bool);

impl From<u64> for Value {
    /// Bounded by what a column holds.
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
