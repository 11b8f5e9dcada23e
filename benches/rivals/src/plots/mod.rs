//! Pictures of what was measured.

pub mod bars;
pub mod latency;
pub mod scaling;

use plotters::style::RGBColor;

/// fastthreadpool's colour, and everybody else's.
pub const OURS: RGBColor = RGBColor(0xd9, 0x5f, 0x02);
pub const OTHERS: RGBColor = RGBColor(0x7f, 0x8c, 0x99);
