//! The counters of [`LinkStatistics`] as a list, in the order of the kernel's structure.

use super::LinkStatistics;

macro_rules! counters {
    ($($name:ident)*) => {
        impl LinkStatistics {
            /// The names of the counters, in the kernel's order.
            pub const NAMES: [&str; 24] = [$(stringify!($name)),*];

            /// The counters in the order of [`Self::NAMES`].
            pub fn counters(&self) -> [u64; Self::NAMES.len()] {
                [$(self.$name),*]
            }

            /// The statistics with these [`Self::counters`].
            pub fn from_counters(counters: [u64; Self::NAMES.len()]) -> Self {
                let [$($name),*] = counters;
                Self { $($name),* }
            }
        }
    };
}

counters! {
    rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped tx_dropped multicast collisions
    rx_length_errors rx_over_errors rx_crc_errors rx_frame_errors rx_fifo_errors rx_missed_errors
    tx_aborted_errors tx_carrier_errors tx_fifo_errors tx_heartbeat_errors tx_window_errors
    rx_compressed tx_compressed rx_nohandler
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_counters_have_the_same_order() {
        let counters = std::array::from_fn(|position| position as u64 + 1);
        let statistics = LinkStatistics::from_counters(counters);
        assert_eq!(statistics.counters(), counters);
        assert_eq!((LinkStatistics::NAMES[0], statistics.rx_packets), ("rx_packets", 1));
        assert_eq!((LinkStatistics::NAMES[9], statistics.collisions), ("collisions", 10));
        assert_eq!((LinkStatistics::NAMES[23], statistics.rx_nohandler), ("rx_nohandler", 24));
    }
}
