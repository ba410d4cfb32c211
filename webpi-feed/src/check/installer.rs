//! Rules for `installer` and what is in it.

use spanned_xml::{Element, Problem};

use super::{Checker, children, content, filled, value};
use crate::Architecture;
use crate::build::is_sha1;

/// What may stand in `installCommands` besides the commands; WebPI 4 knows the names.
const BESIDE_COMMANDS: [&str; 4] = ["done", "environmentVariables", "retryCount", "telemetry"];

/// 4 GB, more than a Web Deploy package or a Windows Installer package can hold: such a size is often one in octets.
const SUSPICIOUS_KB: u64 = 4 << 20;

const OUTCOMES: [&str; 4] = [
    "success",
    "failure",
    "successRebootRequired",
    "failureRebootRequired",
];

impl Checker<'_> {
    /// Checks an installer.
    pub(super) fn installer(&mut self, installer: &Element) {
        self.required(installer, "id", "webpi-installer-id-missing");
        if let Some(language) = installer.child("languageId") {
            let id = value(language);
            if id.is_empty() {
                self.push(
                    Problem::error(
                        "webpi-installer-language-empty",
                        "the installer's `languageId` is empty",
                    )
                    .at(language.span)
                    .help("name a language, `en` for example, or remove the element"),
                );
            } else if !self.languages.is_empty()
                && !self.languages.contains(&id.to_ascii_lowercase())
            {
                self.push(
                    Problem::note(
                        "webpi-installer-language-undeclared",
                        format!("language `{id}` is not one of the feed's"),
                    )
                    .at(content(language))
                    .help("add it to the feed's `languages`"),
                );
            }
        }
        for architecture in children(installer, "architectures").flat_map(Element::elements) {
            if !Architecture::ALL
                .iter()
                .any(|known| architecture.is(known.name()))
            {
                self.push(
                    Problem::error(
                        "webpi-architecture",
                        format!("`{}` is not an architecture", architecture.name),
                    )
                    .at(architecture.name_span)
                    .help("use `<x86 />` and `<x64 />`"),
                );
            }
        }
        for list in children(installer, "osList") {
            self.os_list(list);
        }
        for name in ["eulaURL", "helpLink"] {
            if let Some((url, _)) = filled(installer, name) {
                self.url(url);
            }
        }
        for file in children(installer, "installerFile") {
            self.installer_file(file);
        }
        let component = installer.child("iisComponent");
        let commands = installer.child("installCommands");
        let ms_deploy = installer.child("msDeploy");
        if component.is_none() && commands.is_none() && ms_deploy.is_none() {
            self.push(
                Problem::error("webpi-installer-without-method", "the installer does not say how to install")
                    .at(installer.start_tag)
                    .help("add `<msDeploy />` for a Web Deploy package, or `<installCommands>`, or `<iisComponent>`"),
            );
        }
        if let (Some(commands), Some(ms_deploy)) = (commands, ms_deploy) {
            self.push(
                Problem::error(
                    "webpi-installer-two-methods",
                    "the installer has both `msDeploy` and `installCommands`",
                )
                .at(ms_deploy.name_span)
                .related(commands.name_span, "the commands")
                .help(
                    "keep one of the two: commands that a package needs belong into its manifest",
                ),
            );
        }
        if let Some(ms_deploy) = ms_deploy
            && installer.child("installerFile").is_none()
        {
            self.push(
                Problem::error(
                    "webpi-msdeploy-without-file",
                    "`msDeploy` without an `installerFile` installs nothing",
                )
                .at(ms_deploy.name_span)
                .help("add `<installerFile>` with the package's URL, size and SHA-1"),
            );
        }
        for commands in children(installer, "installCommands") {
            self.install_commands(commands);
        }
    }

    fn installer_file(&mut self, file: &Element) {
        self.required(file, "installerURL", "webpi-installer-url-missing");
        for name in ["installerURL", "trackingURL", "displayURL"] {
            if let Some((url, _)) = filled(file, name) {
                self.url(url);
            }
        }
        for size in children(file, "fileSize") {
            let text = value(size);
            match text.parse::<u64>() {
                Err(_) => self.push(
                    Problem::error("webpi-file-size", format!("`{text}` is not a size"))
                        .at(content(size))
                        .help("write the size in KB as a whole number, rounded up"),
                ),
                Ok(size_kb) if size_kb >= SUSPICIOUS_KB => self.push(
                    Problem::warning(
                        "webpi-file-size-unit",
                        format!("a file of {} GB is not likely", size_kb >> 20),
                    )
                    .at(content(size))
                    .help("write the size in KB, not in octets"),
                ),
                Ok(_) => {}
            }
        }
        match file.child("sha1") {
            None => self.push(
                Problem::warning("webpi-sha1-missing", "the file has no `sha1`")
                    .at(file.start_tag)
                    .help("add the SHA-1 of the file's octets: without it a damaged download is not noticed"),
            ),
            Some(sha1) if !is_sha1(&value(sha1)) => self.push(
                Problem::error("webpi-sha1", format!("`{}` is not a SHA-1 digest", value(sha1)))
                    .at(content(sha1))
                    .help("write 40 hexadecimal digits"),
            ),
            Some(_) => {}
        }
        for trust in children(file, "trustVerified") {
            let text = value(trust);
            if !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") {
                self.push(
                    Problem::error(
                        "webpi-trust-verified",
                        format!("`{text}` is neither `true` nor `false`"),
                    )
                    .at(content(trust))
                    .help("write `true` or `false`"),
                );
            }
        }
    }

    fn install_commands(&mut self, commands: &Element) {
        if commands.elements().next().is_none() {
            self.push(
                Problem::warning(
                    "webpi-commands-empty",
                    "`installCommands` has no command in it",
                )
                .at(commands.span)
                .help("add a command; `iisComponent` and `msDeploy` stand beside it, not in it"),
            );
        }
        for command in commands.elements() {
            match command.name.to_ascii_lowercase().as_str() {
                "cmdline" => {
                    if command.name != "cmdline" {
                        self.push(
                            Problem::note(
                                "webpi-cmdline-case",
                                format!("`{}` is not how the element is written", command.name),
                            )
                            .at(command.name_span)
                            .help("write `cmdline`"),
                        );
                    }
                    self.required(command, "exe", "webpi-cmdline-exe-missing");
                }
                "msiinstall" => self.required(command, "msi", "webpi-msi-missing"),
                "msuinstall" => self.required(command, "msu", "webpi-msu-missing"),
                "unzip" => {
                    self.required(command, "zipFile", "webpi-unzip-incomplete");
                    self.required(command, "targetDirectory", "webpi-unzip-incomplete");
                }
                _ => {
                    if !BESIDE_COMMANDS.iter().any(|known| command.is(known)) {
                        self.push(
                            Problem::error("webpi-command-unknown", format!("`{}` is not a command", command.name))
                                .at(command.name_span)
                                .help("the commands are `cmdline`, `msiInstall`, `msuInstall` and `unzip`"),
                        );
                    }
                }
            }
            for mapping in children(command, "returnCodeMappings")
                .flat_map(|mappings| children(mappings, "mapping"))
            {
                self.mapping(mapping);
            }
        }
    }

    fn mapping(&mut self, mapping: &Element) {
        match mapping.child("returnCode") {
            None => self.required(mapping, "returnCode", "webpi-return-code"),
            Some(code) if value(code).parse::<i64>().is_err() => self.push(
                Problem::error(
                    "webpi-return-code",
                    format!("`{}` is not an exit code", value(code)),
                )
                .at(content(code))
                .help("write a whole number; it may be negative"),
            ),
            Some(_) => {}
        }
        let outcomes: Vec<&Element> = mapping
            .elements()
            .filter(|child| OUTCOMES.iter().any(|outcome| child.is(outcome)))
            .collect();
        match outcomes.as_slice() {
            [] => self.push(
                Problem::error(
                    "webpi-mapping-outcome",
                    "the mapping does not say what the exit code means",
                )
                .at(mapping.start_tag)
                .help(
                    "add `success`, `failure`, `successRebootRequired` or `failureRebootRequired`",
                ),
            ),
            [_] => {}
            [first, .., last] => self.push(
                Problem::error(
                    "webpi-mapping-outcome",
                    format!("the mapping says both `{}` and `{}`", first.name, last.name),
                )
                .at(last.name_span)
                .related(first.name_span, "the first")
                .help("keep one of them"),
            ),
        }
    }
}
