//! From `Manifest.xml.in`, variables already expanded, to `Manifest.xml`: the settings of `runCommand` as Web Deploy
//! reads them.

use spanned_xml::{Attribute, Document, Element, Problem, Problems, Source, Span, Splices};

use crate::manifest::{Manifest, is_msdeploy_attribute};
use crate::provider_options::{
    KEY_ATTRIBUTE, KEY_ATTRIBUTE_VALUE, PROVIDER_OPTIONS_ATTRIBUTE, ProviderOptions,
};
use crate::run_command::canonical_setting;

/// Turns the plain attributes of every `runCommand` (all but `path` and `MSDeploy.…`) into
/// `MSDeploy.MSDeployProviderOptions`, with the `MSDeploy.MSDeployKeyAttributeName` that goes with it. Everything else,
/// comments and spacing included, stays as written. A manifest that is built already stays as it is.
///
/// ```
/// use msdeploy_pkg::build_manifest;
/// use spanned_xml::Source;
///
/// let template = r#"<MSDeploy.iisApp>
///   <iisApp path="MyApp" />
///   <runCommand path="setup.exe" successReturnCodes="0x0" />
/// </MSDeploy.iisApp>"#;
/// let (manifest, _) = build_manifest(&Source::from_text("Manifest.xml.in", template))?;
/// assert!(manifest.contains(r#"<runCommand path="setup.exe" MSDeploy.MSDeployKeyAttributeName="path" MSDeploy.MSDeployProviderOptions="H4sI"#));
/// # Ok::<(), spanned_xml::Problems>(())
/// ```
///
/// # Errors
///
/// All faults of the manifest, as [`Manifest::parse`] finds them.
pub fn build_manifest(source: &Source) -> Result<(String, Vec<Problem>), Problems> {
    let document = Document::parse(source).map_err(|problem| problem.in_source(source))?;
    // What this warns of is what is done about it here.
    let done = [
        "run-command-plain-setting",
        "run-command-without-key-attribute",
    ];
    let is_other = |problem: &Problem| !done.contains(&problem.code);
    let (_, mut problems) = Manifest::of_document(source, &document).map_err(|mut found| {
        found.problems.retain(is_other);
        found
    })?;
    problems.retain(is_other);
    let mut splices = Splices::new();
    for element in document
        .root()
        .elements()
        .filter(|element| element.is("runCommand"))
    {
        run_command(element, &mut splices).map_err(|problem| problem.in_source(source))?;
    }
    // The spans come from one parse of this text: they lie inside it and do not overlap.
    let text = splices
        .apply(source.text())
        .unwrap_or_else(|| source.text().to_owned());
    Ok((text, problems))
}

fn run_command(element: &Element, splices: &mut Splices) -> Result<(), Problem> {
    let existing = element.attribute_ignore_case(PROVIDER_OPTIONS_ATTRIBUTE);
    let plain = |attribute: &Attribute| {
        !attribute.name.eq_ignore_ascii_case("path") && !is_msdeploy_attribute(attribute)
    };
    let has_plain = element.attributes.iter().any(plain);
    // The manifest was parsed before: there is a path, and the options that stand there already can be read.
    let Some(path) = element.attribute_ignore_case("path") else {
        return Ok(());
    };
    let mut options = match existing {
        Some(existing) => ProviderOptions::decode(&existing.value).map_err(|error| {
            Problem::error("manifest-provider-options", error.to_string()).at(existing.value_span)
        })?,
        None => ProviderOptions::new("runCommand", &path.value),
    };
    let has_key = element.attribute_ignore_case(KEY_ATTRIBUTE).is_some();
    if existing.is_some() && !has_plain && options.path == path.value && has_key {
        return Ok(());
    }
    options.path.clone_from(&path.value);
    let mut end = element.name_span.end;
    for attribute in &element.attributes {
        if plain(attribute) {
            let name = canonical_setting(&attribute.name).unwrap_or(&attribute.name);
            // A plain attribute says what is wanted now; the options may be of an earlier build.
            match options
                .settings
                .iter_mut()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
            {
                Some((_, value)) => value.clone_from(&attribute.value),
                None => options
                    .settings
                    .push((name.to_owned(), attribute.value.clone())),
            }
            splices.remove(Span::new(end, attribute.span.end));
        }
        end = attribute.span.end;
    }
    let mut added = String::new();
    if !has_key {
        added = format!(" {KEY_ATTRIBUTE}=\"{KEY_ATTRIBUTE_VALUE}\"");
    }
    match existing {
        Some(existing) => splices.replace(existing.value_span, options.encode()),
        None => {
            added.push_str(&format!(
                " {PROVIDER_OPTIONS_ATTRIBUTE}=\"{}\"",
                options.encode()
            ));
        }
    }
    splices.insert(path.span.end, added);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(text: &str) -> String {
        let (built, problems) =
            build_manifest(&Source::from_text("Manifest.xml.in", text)).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let (again, _) = build_manifest(&Source::from_text("Manifest.xml", built.clone())).unwrap();
        assert_eq!(again, built, "building twice changes nothing");
        built
    }

    fn value(provider: &str, path: &str, settings: &[(&str, &str)]) -> String {
        let mut options = ProviderOptions::new(provider, path);
        options.settings = settings
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        options.encode()
    }

    #[test]
    fn everything_else_stays_as_written() {
        let built = build(
            "<!-- c -->\r\n<MSDeploy.iisApp>\r\n  <iisApp path=\"A\" />\r\n  <runCommand\r\n      waitAttempts=\"10\"\r\n      path='a &amp;&amp; \"b\"'\r\n      successreturncodes=\"0x0\"\r\n  />\r\n</MSDeploy.iisApp>\r\n",
        );
        let options = value(
            "runCommand",
            "a && \"b\"",
            &[("waitAttempts", "10"), ("successReturnCodes", "0x0")],
        );
        assert_eq!(
            built,
            format!(
                "<!-- c -->\r\n<MSDeploy.iisApp>\r\n  <iisApp path=\"A\" />\r\n  <runCommand\r\n      path='a &amp;&amp; \"b\"' MSDeploy.MSDeployKeyAttributeName=\"path\" MSDeploy.MSDeployProviderOptions=\"{options}\"\r\n  />\r\n</MSDeploy.iisApp>\r\n"
            )
        );
    }

    #[test]
    fn options_that_stand_there_are_kept_and_amended() {
        let old = value(
            "runCommand",
            "old",
            &[("waitAttempts", "1"), ("waitInterval", "5")],
        );
        let built = build(&format!(
            "<m><runCommand MSDeploy.MSDeployProviderOptions=\"{old}\" path=\"new\" waitAttempts=\"2\"/></m>"
        ));
        let new = value(
            "runCommand",
            "new",
            &[("waitAttempts", "2"), ("waitInterval", "5")],
        );
        assert_eq!(
            built,
            format!(
                "<m><runCommand MSDeploy.MSDeployProviderOptions=\"{new}\" path=\"new\" MSDeploy.MSDeployKeyAttributeName=\"path\"/></m>"
            )
        );
    }

    #[test]
    fn a_command_without_settings_gets_its_key_attribute() {
        let built = build("<m><runCommand path=\"x\"/></m>");
        let options = value("runCommand", "x", &[]);
        assert_eq!(
            built,
            format!(
                "<m><runCommand path=\"x\" MSDeploy.MSDeployKeyAttributeName=\"path\" MSDeploy.MSDeployProviderOptions=\"{options}\"/></m>"
            )
        );
    }

    #[test]
    fn options_without_their_key_attribute_get_it() {
        let options = value("runCommand", "x", &[]);
        let built = build(&format!(
            "<m><runCommand path='x' MSDeploy.MSDeployProviderOptions='{options}'/></m>"
        ));
        assert_eq!(
            built,
            format!(
                "<m><runCommand path='x' MSDeploy.MSDeployKeyAttributeName=\"path\" MSDeploy.MSDeployProviderOptions='{options}'/></m>"
            )
        );
    }

    #[test]
    fn faults_are_those_of_the_manifest() {
        let problems = build_manifest(&Source::from_text(
            "Manifest.xml.in",
            "<m>\n <runCommand path='x' waitAttempt='1' dontUseJobObject='maybe'/>\n</m>",
        ))
        .unwrap_err();
        let text = problems.to_string();
        assert!(
            text.contains("Manifest.xml.in:2:23: error[run-command-unknown-setting]"),
            "{text}"
        );
        assert!(text.contains("error[run-command-setting-value]"), "{text}");
    }
}
