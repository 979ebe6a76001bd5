//! Limits for untrusted archives.

/// Budgets of one archive. All of them count what is *decompressed*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole decompressed stream.
    pub bytes: u64,
    /// Decompressed bytes for each compressed one, once [`free`](Self::free) are through.
    pub ratio: u64,
    /// Decompressed bytes before the ratio applies: small repetitive archives are harmless.
    pub free: u64,
    /// Headers, including those that only describe the next one, and folders that are only implied by longer paths.
    pub entries: u64,
    /// Bytes of all names, link targets and implied folders' names together, which are held in memory.
    pub names: u64,
}

impl Limits {
    /// For archives that recipes name: 64 GiB, 200:1 after 64 MiB, a million headers, 128 MiB of names.
    ///
    /// Programs compress to a half or a fifth, text to a twentieth; deflate can give 1032:1 at most, and only for
    /// zeros, so a limit above that would never bite there. The other compressions can give 7,000:1 (xz) to millions:1 (bzip2).
    pub const RECIPE: Self = Self { bytes: 64 << 30, ratio: 200, free: 64 << 20, entries: 1_000_000, names: 128 << 20 };

    /// For layers, whose decompressed digest is known: 256 GiB and any ratio that deflate can give. (Other compressions
    /// can give more, but only for hundreds of megabytes of the same byte, which no honest layer holds.) Two million
    /// entries are two hundred times what a base image holds.
    pub const LAYER: Self =
        Self { bytes: 256 << 30, ratio: 1100, free: 64 << 20, entries: 2_000_000, names: 128 << 20 };

    /// For saved archives, which hold all layers of an image for all its platforms.
    pub const SAVED: Self = Self { bytes: 1 << 40, entries: 4_000_000, names: 256 << 20, ..Self::LAYER };

    /// Bytes of decompressed data that a decoder may have to keep: the dictionary of xz, the window of zstd. A power of
    /// two; `xz -9` wants 64 MiB, `zstd -19` 8 MiB, `zstd --long` 128 MiB.
    pub const WINDOW: u64 = 128 << 20;
    /// Folders that may be inside one another.
    pub const DEPTH: usize = 255;
    /// Bytes that one component may have, as in Linux.
    pub const COMPONENT: usize = 255;
    /// Bytes that a path or a link's target may have, as in Linux.
    pub const PATH: usize = 4096;
    /// Bytes of one PAX header or GNU long name.
    pub(super) const EXTENSION: u64 = 1 << 20;
    /// Bytes of zeros that may follow the end mark. Writers fill their last record up, mostly to 10 KiB; tape drives
    /// had records of at most some hundred KiB. A stream that goes on is not padding, and one from a device never ends.
    pub(super) const PADDING: u64 = 1 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self::RECIPE
    }
}
