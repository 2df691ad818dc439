//! Who may open a connection: a filter on a listening socket, by the client's address.
//!
//! What the filter drops is never answered, as in a network that lets nobody through: the client's connection times
//! out. It is classic BPF, which the kernel runs for the packets of a listening socket as well.

use ipnet::IpNet;
use socket2::SockFilter;

/// Instruction codes. Source: linux/bpf_common.h.
mod code {
    /// Load a word from the packet.
    pub(super) const LOAD: u16 = 0x20;
    /// Bitwise and with a constant.
    pub(super) const AND: u16 = 0x54;
    /// Jump if equal to a constant.
    pub(super) const JUMP_EQUAL: u16 = 0x15;
    /// Return a constant: how many bytes of the packet pass.
    pub(super) const RETURN: u16 = 0x06;
}

/// Where the network header begins in the addresses of loads, whatever the packet's own beginning is.
/// Source: linux/filter.h, `SKF_NET_OFF`.
const NETWORK_HEADER: u32 = 0xfff0_0000;
/// Where the source address is in the header of IPv4 and IPv6. Source: RFC 791, RFC 8200.
const SOURCE_V4: u32 = NETWORK_HEADER + 12;
const SOURCE_V6: u32 = NETWORK_HEADER + 8;
/// More than any packet has.
const ALL: u32 = 0x4_0000;
/// Most instructions of a program. Source: linux/bpf_common.h, `BPF_MAXINSNS`.
const MOST: usize = 4_096;

/// A program that passes packets of these ranges' family and sources, and drops all others.
///
/// What does not fit is dropped as well; a program has room for 300 ranges at least.
pub(super) fn program(ranges: &[IpNet], v4: bool) -> Vec<SockFilter> {
    let mut program = Vec::new();
    for range in ranges.iter().filter(|range| matches!(range, IpNet::V4(_)) == v4) {
        let test = match range {
            IpNet::V4(range) => words(&range.network().octets(), &range.netmask().octets(), SOURCE_V4),
            IpNet::V6(range) => words(&range.network().octets(), &range.netmask().octets(), SOURCE_V6),
        };
        if program.len() + test.len() >= MOST {
            tracing::warn!(most = MOST, "too many ranges of clients for a filter; the rest is kept out");
            break;
        }
        program.extend(test);
    }
    program.push(SockFilter::new(code::RETURN, 0, 0, 0));
    program
}

/// Instructions that return for packets whose source is in a range, and go on behind themselves for others.
fn words(network: &[u8], mask: &[u8], from: u32) -> Vec<SockFilter> {
    let word = |bytes: &[u8]| bytes.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
    let compared: Vec<(u32, u32, u32)> = (0_u32..)
        .zip(network.chunks(4).zip(mask.chunks(4)))
        .map(|(n, (network, mask))| (from + 4 * n, word(network), word(mask)))
        .filter(|(_, _, mask)| *mask != 0)
        .collect();
    let mut test = Vec::new();
    for (n, (at, network, mask)) in compared.iter().enumerate() {
        // Behind this comparison: three instructions for each of the others, and the return.
        let rest = (compared.len() - n - 1) * 3 + 1;
        test.push(SockFilter::new(code::LOAD, 0, 0, *at));
        test.push(SockFilter::new(code::AND, 0, 0, *mask));
        let skip = u8::try_from(rest).unwrap_or(u8::MAX);
        test.push(SockFilter::new(code::JUMP_EQUAL, 0, skip, *network));
    }
    test.push(SockFilter::new(code::RETURN, 0, 0, ALL));
    test
}
