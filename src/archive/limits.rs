//! How much of everything an archive from a stranger may have.

/// Budgets of one archive. All of them count what is *decompressed*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole decompressed stream.
    pub bytes: u64,
    /// Decompressed bytes for each compressed one, once [`free`](Self::free) are through.
    pub ratio: u64,
    /// Decompressed bytes to which no ratio applies: small archives of much the same are harmless.
    pub free: u64,
    /// Headers, those that only describe the next one included.
    pub entries: u64,
    /// Bytes of all names and link targets together, which are held in memory.
    pub names: u64,
}

impl Limits {
    /// For archives that recipes name: 64 GiB, 200:1 after 64 MiB, a million headers, 128 MiB of names.
    ///
    /// Programs compress to a half or a fifth, text to a twentieth; deflate can give 1032:1 at most, and only for
    /// zeros, so a limit above that would never bite.
    pub const RECIPE: Self = Self { bytes: 64 << 30, ratio: 200, free: 64 << 20, entries: 1_000_000, names: 128 << 20 };

    /// For layers, whose decompressed digest is known: 256 GiB and any ratio that deflate can give.
    pub const LAYER: Self = Self { bytes: 256 << 30, ratio: 1100, free: 64 << 20, entries: 10_000_000, names: 1 << 30 };

    /// Components that one path may have.
    pub const DEPTH: usize = 255;
    /// Bytes that one component may have, as in Linux.
    pub const COMPONENT: usize = 255;
    /// Bytes that a path or a link's target may have, as in Linux.
    pub const PATH: usize = 4096;
    /// Bytes of one PAX header.
    pub(super) const PAX: u64 = 1 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self::RECIPE
    }
}
