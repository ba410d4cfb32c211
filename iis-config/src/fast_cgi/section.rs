//! Reading the section `system.webServer/fastCgi`.
//!
//! The section schema `system.webServer/fastCgi` of IIS 10's `IIS_schema.xml`: a collection of `application`, without
//! `remove` or `clear`, each with a collection of `environmentVariable`.

use spanned_xml::{Element, Problem};

use super::application::{
    ACTIVITY_TIMEOUT, ATTRIBUTES, EnvironmentVariable, FastCgiApplication, IDLE_TIMEOUT,
    INSTANCE_MAX_REQUESTS, MAX_INSTANCES, PROTOCOLS, Protocol, QUEUE_LENGTH,
    RAPID_FAILS_PER_MINUTE, REQUEST_TIMEOUT, SIGNAL_BEFORE_TERMINATE, STDERR_MODES, StderrMode,
};
use crate::attribute::Reader;
use crate::declared::{Declared, Keys};
use crate::win_path;

impl FastCgiApplication {
    pub(crate) fn read(element: &Element, problems: &mut Vec<Problem>) -> Self {
        let mut reader = Reader::new(element, problems);
        let mut application = Self {
            full_path: reader.required("fullPath", true),
            arguments: reader.string("arguments", ""),
            monitor_changes_to: reader.string("monitorChangesTo", ""),
            stderr_mode: reader.enumeration("stderrMode", &STDERR_MODES, StderrMode::default()),
            max_instances: reader.uint(MAX_INSTANCES),
            idle_timeout: reader.seconds(IDLE_TIMEOUT),
            activity_timeout: reader.seconds(ACTIVITY_TIMEOUT),
            request_timeout: reader.seconds(REQUEST_TIMEOUT),
            instance_max_requests: reader.uint(INSTANCE_MAX_REQUESTS),
            signal_before_terminate: reader.seconds(SIGNAL_BEFORE_TERMINATE),
            protocol: reader.enumeration("protocol", &PROTOCOLS, Protocol::default()),
            queue_length: reader.uint(QUEUE_LENGTH),
            flush_named_pipe: reader.boolean("flushNamedPipe", false),
            rapid_fails_per_minute: reader.uint(RAPID_FAILS_PER_MINUTE),
            environment_variables: Vec::new(),
        };
        reader.warn_unknown(&ATTRIBUTES);
        application.read_environment_variables(element, problems);
        if let Some(attribute) = element.attribute("monitorChangesTo")
            && attribute.value.contains('%')
        {
            problems.push(
                Problem::warning(
                    "iis-monitor-changes-to-variable",
                    "`monitorChangesTo` holds `%`, and IIS does not expand variables there",
                )
                .at(attribute.value_span)
                .help("write the whole path; with a variable IIS answers every request with 500 and says nothing"),
            );
        }
        application
    }

    fn read_environment_variables(&mut self, element: &Element, problems: &mut Vec<Problem>) {
        let mut names = Keys::new();
        let variables = element
            .elements()
            .filter(|child| child.name == "environmentVariables")
            .flat_map(|child| child.elements())
            .filter(|child| child.name == "environmentVariable");
        for variable in variables {
            let mut reader = Reader::new(variable, problems);
            let name = reader.required("name", false);
            let value = reader.string("value", "");
            if let Some(first) = names.declared_before(win_path::fold(&name), variable.start_tag) {
                problems.push(
                    Problem::error(
                        "iis-environment-variable-duplicate",
                        format!("the environment variable `{name}` is set twice"),
                    )
                    .at(variable.start_tag)
                    .related(first, "first set here")
                    .help("remove one; IIS refuses the section with both"),
                );
            }
            self.environment_variables
                .push(EnvironmentVariable { name, value });
        }
    }
}

/// The combined key for maps: equal where [`FastCgiApplication::has_key`] holds.
fn key(full_path: &str, arguments: &str) -> (String, String) {
    if full_path.starts_with('/') {
        (full_path.to_owned(), arguments.to_owned())
    } else {
        (win_path::fold(full_path), win_path::fold(arguments))
    }
}

/// Reads a `fastCgi` section.
pub(crate) fn read_section(
    section: &Element,
    problems: &mut Vec<Problem>,
) -> Vec<Declared<FastCgiApplication>> {
    let mut applications = Vec::new();
    let mut keys = Keys::new();
    for element in section
        .elements()
        .filter(|child| child.name == "application")
    {
        let application = FastCgiApplication::read(element, problems);
        // An entry without a path has been reported already.
        if !application.full_path.is_empty()
            && let Some(first) = keys.declared_before(
                key(&application.full_path, &application.arguments),
                element.start_tag,
            )
        {
            problems.push(
                Problem::error(
                    "iis-fast-cgi-duplicate",
                    format!(
                        "the FastCGI application `{}` is there twice",
                        application.script_processor()
                    ),
                )
                .at(element.start_tag)
                .related(first, "first here")
                .help("remove one: fullPath and arguments together are the key, and IIS refuses the section with both"),
            );
        }
        applications.push(Declared::new(application, element));
    }
    applications
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeValue;
    use core::time::Duration;
    use spanned_xml::{Document, Source};

    fn read(xml: &str) -> (Vec<Declared<FastCgiApplication>>, Vec<(Problem, String)>) {
        let source = Source::from_text("x", xml);
        let mut problems = Vec::new();
        let applications = read_section(Document::parse(&source).unwrap().root(), &mut problems);
        let problems = problems
            .into_iter()
            .map(|problem| {
                let place = problem.span.map(|span| source.slice(span).to_owned());
                (problem, place.unwrap_or_default())
            })
            .collect();
        (applications, problems)
    }

    #[test]
    fn defaults_are_those_of_the_schema() {
        let (applications, problems) = read("<fastCgi><application fullPath='a'/></fastCgi>");
        assert!(problems.is_empty());
        assert_eq!(applications[0].value, FastCgiApplication::new("a", ""));
        assert!(
            applications[0]
                .attributes()
                .iter()
                .skip(1)
                .all(AttributeValue::is_default)
        );
    }

    #[test]
    fn every_attribute_is_read() {
        let (applications, problems) = read(
            "<fastCgi><application fullPath='C:\\p.exe' arguments='-u &quot;a&quot;' maxInstances='4' idleTimeout='600'
               activityTimeout='30' requestTimeout='3600' instanceMaxRequests='10000' signalBeforeTerminateSeconds='15'
               protocol='tcp' queueLength='5' flushNamedPipe='True' rapidFailsPerMinute='0' monitorChangesTo='C:\\a.ini'
               stderrMode='TerminateProcess' lockItem='true' xdt:Transform='Insert'>
               <environmentVariables><environmentVariable name='A' value='%B%'/><environmentVariable name='C'/></environmentVariables>
             </application></fastCgi>",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let mut expected = FastCgiApplication::new("C:\\p.exe", "-u \"a\"");
        expected.max_instances = 4;
        expected.idle_timeout = Duration::from_secs(600);
        expected.activity_timeout = Duration::from_secs(30);
        expected.request_timeout = Duration::from_secs(3600);
        expected.instance_max_requests = 10_000;
        expected.signal_before_terminate = Duration::from_secs(15);
        expected.protocol = Protocol::Tcp;
        expected.queue_length = 5;
        expected.flush_named_pipe = true;
        expected.rapid_fails_per_minute = 0;
        expected.monitor_changes_to = "C:\\a.ini".to_owned();
        expected.stderr_mode = StderrMode::TerminateProcess;
        expected.environment_variables = vec![
            EnvironmentVariable::new("A", "%B%"),
            EnvironmentVariable::new("C", ""),
        ];
        assert_eq!(applications[0].value, expected);
    }

    #[test]
    fn says_what_iis_would_refuse_and_where() {
        for (attributes, code, place, says) in [
            (
                "maxInstances='10001'",
                "iis-attribute-out-of-range",
                "10001",
                "0 to 10000 processes",
            ),
            (
                "idleTimeout='9'",
                "iis-attribute-out-of-range",
                "9",
                "10 to 2592000 seconds",
            ),
            (
                "activityTimeout='99999999999999'",
                "iis-attribute-out-of-range",
                "99999999999999",
                "seconds",
            ),
            (
                "requestTimeout='2592001'",
                "iis-attribute-out-of-range",
                "2592001",
                "10 to 2592000 seconds",
            ),
            (
                "instanceMaxRequests='0'",
                "iis-attribute-out-of-range",
                "0",
                "1 to 10000000 requests",
            ),
            (
                "signalBeforeTerminateSeconds='61'",
                "iis-attribute-out-of-range",
                "61",
                "0 to 60 seconds",
            ),
            (
                "queueLength='0'",
                "iis-attribute-out-of-range",
                "0",
                "1 to 100000000 requests",
            ),
            (
                "rapidFailsPerMinute='1001'",
                "iis-attribute-out-of-range",
                "1001",
                "0 to 1000 failures",
            ),
            (
                "maxInstances='%N%'",
                "iis-attribute-not-a-number",
                "%N%",
                "`%N%`",
            ),
            (
                "maxInstances='-1'",
                "iis-attribute-not-a-number",
                "-1",
                "`-1`",
            ),
            (
                "maxInstances=''",
                "iis-attribute-not-a-number",
                "",
                "not a whole number",
            ),
            (
                "flushNamedPipe='yes'",
                "iis-attribute-not-in-enumeration",
                "yes",
                "`yes`",
            ),
            (
                "protocol='Udp'",
                "iis-attribute-not-in-enumeration",
                "Udp",
                "`Udp`",
            ),
            (
                "stderrMode='x'",
                "iis-attribute-not-in-enumeration",
                "x",
                "`x`",
            ),
            (
                "maxinstances='4'",
                "iis-attribute-unknown",
                "maxinstances",
                "`maxinstances`",
            ),
            (
                "monitorChangesTo='%X%'",
                "iis-monitor-changes-to-variable",
                "%X%",
                "does not expand",
            ),
        ] {
            let (_, problems) = read(&format!(
                "<fastCgi><application fullPath='a' {attributes}/></fastCgi>"
            ));
            let [(problem, found)] = &problems[..] else {
                panic!("{attributes}: {problems:?}");
            };
            assert_eq!(
                (problem.code, found.as_str()),
                (code, place),
                "{attributes}"
            );
            assert!(
                problem.message.contains(says),
                "{attributes}: {}",
                problem.message
            );
            assert!(problem.help.is_some(), "{attributes}");
        }
    }

    #[test]
    fn all_faults_of_a_section_at_once() {
        let (_, problems) = read(
            "<fastCgi>
               <application FullPath='a' maxInstances='x'/>
               <application fullPath='' idleTimeout='1'/>
               <application fullPath='C:\\A.exe'/>
               <application fullPath='c:\\a.EXE' arguments=''/>
               <application fullPath='b'><environmentVariables>
                 <environmentVariable name='PATH'/><environmentVariable name='Path'/><environmentVariable value='1'/>
               </environmentVariables></application>
             </fastCgi>",
        );
        let codes: Vec<_> = problems.iter().map(|(problem, _)| problem.code).collect();
        assert_eq!(
            codes,
            [
                "iis-attribute-missing",
                "iis-attribute-not-a-number",
                "iis-attribute-unknown",
                "iis-attribute-empty",
                "iis-attribute-out-of-range",
                "iis-fast-cgi-duplicate",
                "iis-environment-variable-duplicate",
                "iis-attribute-missing",
            ]
        );
    }
}
