//! The checklist: what the specification demands, and where it is silent, what experience recommends.

/// One item of the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// 1 to 40.
    pub number: u8,
    /// The section of the specification.
    pub section: &'static str,
    /// Whether the specification is silent, and this is a recommendation.
    pub recommended: bool,
    /// What is demanded, in short.
    pub title: &'static str,
}

const fn must(number: u8, section: &'static str, title: &'static str) -> Item {
    Item {
        number,
        section,
        recommended: false,
        title,
    }
}

const fn should(number: u8, section: &'static str, title: &'static str) -> Item {
    Item {
        number,
        section,
        recommended: true,
        title,
    }
}

/// The checklist, by number: 1 to 31 are the application's side, 32 to 39 the Web server's.
pub const ITEMS: [Item; 40] = [
    must(1, "2.2", "descriptor 0 is the listening socket"),
    must(2, "3.2", "FCGI_WEB_SERVER_ADDRS names who may connect"),
    must(3, "3.3", "version 1 only, reserved octets ignored"),
    must(4, "3.3", "content of 0 to 65,535 octets, any padding"),
    must(5, "3.3", "a request id is active from BEGIN to END"),
    must(6, "3.3", "records for an inactive id are ignored"),
    should(7, "3.3", "BEGIN for an active id is an error"),
    must(
        8,
        "3.3",
        "a stream means the same however it is cut into records",
    ),
    must(
        9,
        "3.4",
        "lengths of one and of four octets, any octets in values",
    ),
    must(
        10,
        "4.1",
        "GET_VALUES is answered with what is asked and known",
    ),
    must(
        11,
        "4.1",
        "answers to management records are single records",
    ),
    must(
        12,
        "4.2",
        "unknown management records are answered with UNKNOWN_TYPE",
    ),
    should(13, "4.2", "unknown records of a request do no harm"),
    must(14, "5.1", "the body of BEGIN has eight octets"),
    must(15, "5.1", "FCGI_KEEP_CONN decides who closes"),
    must(
        16,
        "5.1",
        "an unknown role is refused, and the connection goes on",
    ),
    must(
        17,
        "5.5",
        "a second request on a connection is served or refused",
    ),
    must(18, "5.5", "what is too much is answered with OVERLOADED"),
    must(
        19,
        "5.2",
        "variables are complete before the application starts",
    ),
    must(20, "5.4", "an aborted request is ended soon"),
    must(21, "5.5", "nothing follows END_REQUEST"),
    must(22, "5.5", "END_REQUEST carries the application's status"),
    must(
        23,
        "6.1",
        "STDOUT is ended once, also if empty; STDERR if it was used",
    ),
    must(24, "6.1", "a response begins with CGI headers"),
    must(
        25,
        "6.2",
        "output may come before the end of STDIN; CONTENT_LENGTH bounds the body",
    ),
    must(
        26,
        "6.2",
        "a body shorter than CONTENT_LENGTH hangs nothing",
    ),
    must(27, "6.3", "Authorizer"),
    must(
        28,
        "6.4",
        "Filter: STDIN before output, DATA while it writes",
    ),
    must(29, "7", "SIGTERM ends the process"),
    should(
        30,
        "3.3",
        "an end of input inside a record breaks the connection only",
    ),
    should(31, "5.1", "STDIN that nobody reads is drained"),
    must(
        32,
        "3.3",
        "ids are free again after END; the application's limits are kept",
    ),
    must(
        33,
        "6.1",
        "the streams of a role, in order, each ended once",
    ),
    must(34, "5.4", "ABORT when the client leaves"),
    should(35, "6.1", "any interleave and any end of STDOUT and STDERR"),
    must(
        36,
        "5.5",
        "END ends a request; a connection without it is a bad gateway",
    ),
    must(37, "5.5", "a refusal is no response"),
    must(
        38,
        "6.3",
        "Variable- headers of an Authorizer are passed on",
    ),
    must(39, "4", "management records and unknown ones"),
    must(40, "B", "the examples of appendix B"),
];

#[cfg(test)]
mod tests {
    use super::ITEMS;

    #[test]
    fn items_are_numbered_in_order() {
        for (number, item) in (1..=40).zip(ITEMS) {
            assert_eq!(item.number, number);
            assert!(!item.title.is_empty() && !item.section.is_empty());
        }
    }
}
