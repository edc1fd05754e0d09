//! Typed reading of task parameters: absent means the default, a wrong type or range is an error.

use serde_json::Value;

use crate::stage::StageError;

/// The parameters of a task.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'a>(pub &'a Value);

impl<'a> Parameters<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, StageError> {
        self.get(name)
            .map(|value| value.as_str().ok_or_else(|| wrong(name, "a text", value)))
            .transpose()
    }

    /// A whole number within `min..=max`.
    pub fn count(&self, name: &str, default: u64, min: u64, max: u64) -> Result<u64, StageError> {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        value
            .as_u64()
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| wrong(name, &format!("a whole number from {min} to {max}"), value))
    }

    /// A number within `min..=max`.
    pub fn number(&self, name: &str, default: f64, min: f64, max: f64) -> Result<f64, StageError> {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        value
            .as_f64()
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| wrong(name, &format!("a number from {min} to {max}"), value))
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, StageError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        value
            .as_array()
            .and_then(|items| {
                items
                    .iter()
                    .map(|item| item.as_str().map(str::to_owned))
                    .collect()
            })
            .map(Some)
            .ok_or_else(|| wrong(name, "a list of texts", value))
    }

    /// An object whose values are texts.
    pub fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, StageError> {
        let Some(value) = self.get(name) else {
            return Ok(Vec::new());
        };
        value
            .as_object()
            .and_then(|map| {
                map.iter()
                    .map(|(key, item)| item.as_str().map(|text| (key.clone(), text.to_owned())))
                    .collect()
            })
            .ok_or_else(|| wrong(name, "an object whose values are texts", value))
    }
}

fn wrong(name: &str, wanted: &str, found: &Value) -> StageError {
    let mut found = found.to_string();
    if found.len() > 80 {
        let end = found.floor_char_boundary(80);
        found.truncate(end);
        found.push('…');
    }
    StageError::BadParameter {
        name: name.to_owned(),
        message: format!("expected {wanted}, found `{found}`"),
    }
}

/// An error about parameter `name`.
pub fn bad(name: &str, message: impl Into<String>) -> StageError {
    StageError::BadParameter {
        name: name.to_owned(),
        message: message.into(),
    }
}
