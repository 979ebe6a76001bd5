//! Permission bits as recipes and plans write them.

use std::fmt;
use std::str::FromStr;

/// The 12 permission bits of a file, in text as octal digits: `0755`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileMode(u32);

/// A text is no [`FileMode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a file mode: expected three or four octal digits, as in `\"0755\"`")]
pub struct FileModeError(String);

impl FileMode {
    /// The bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for FileMode {
    type Err = FileModeError;

    /// `755` and `04755` are taken as well.
    fn from_str(text: &str) -> Result<Self, FileModeError> {
        let refused = || FileModeError(text.to_owned());
        let digits = if text.len() == 5 { text.strip_prefix('0').ok_or_else(refused)? } else { text };
        if !matches!(digits.len(), 3 | 4) || !digits.bytes().all(|digit| matches!(digit, b'0'..=b'7')) {
            return Err(refused());
        }
        u32::from_str_radix(digits, 8).map(Self).map_err(|_| refused())
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

crate::types::serde_as_text!(FileMode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal() {
        for (text, bits, shown) in [
            ("0755", 0o755, "0755"),
            ("755", 0o755, "0755"),
            ("4755", 0o4755, "4755"),
            ("04755", 0o4755, "4755"),
            ("000", 0, "0000"),
            ("7777", 0o7777, "7777"),
        ] {
            let mode: FileMode = text.parse().unwrap();
            assert_eq!((mode.bits(), mode.to_string().as_str()), (bits, shown), "{text}");
            assert_eq!(serde_json::to_string(&mode).unwrap(), format!("\"{shown}\""));
        }
        for text in
            ["", "7", "55", "0", "0o755", "0x1ed", "789", "u+x", "rwxr-xr-x", "14755", "004755", "-755", "+755", "755 "]
        {
            let error = text.parse::<FileMode>().unwrap_err().to_string();
            assert_eq!(
                error,
                format!("`{text}` is not a file mode: expected three or four octal digits, as in `\"0755\"`")
            );
        }
    }
}
