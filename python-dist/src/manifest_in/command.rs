//! The template's commands, checked for their form.

use spanned_xml::{Problem, Source, Span};

use super::line::{Word, logical_lines};

/// One command of a MANIFEST.in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The template's name.
    pub file: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// The column of its first word, from 1, in characters.
    pub column: usize,
    /// From its first word to its last.
    pub span: Span,
    /// The command as it is written, with one blank between words.
    pub text: String,
    pub(crate) action: Action,
    /// The folder of `recursive-…`, `graft` and `prune`.
    pub(crate) folder: Option<Word>,
    pub(crate) patterns: Vec<Word>,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Include,
    Exclude,
    GlobalInclude,
    GlobalExclude,
    RecursiveInclude,
    RecursiveExclude,
    Graft,
    Prune,
}

impl Action {
    const ALL: [(&'static str, Self); 8] = [
        ("include", Self::Include),
        ("exclude", Self::Exclude),
        ("global-include", Self::GlobalInclude),
        ("global-exclude", Self::GlobalExclude),
        ("recursive-include", Self::RecursiveInclude),
        ("recursive-exclude", Self::RecursiveExclude),
        ("graft", Self::Graft),
        ("prune", Self::Prune),
    ];

    pub(crate) const fn takes_in(self) -> bool {
        matches!(
            self,
            Self::Include | Self::GlobalInclude | Self::RecursiveInclude | Self::Graft
        )
    }
}

/// A MANIFEST.in: its commands in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    commands: Vec<Command>,
}

impl Template {
    /// Reads a MANIFEST.in. A line that cannot be understood is reported and skipped, as distutils
    /// does.
    ///
    /// ```
    /// use python_dist::manifest_in::Template;
    /// use spanned_xml::Source;
    ///
    /// let (template, problems) = Template::parse(&Source::from_text("MANIFEST.in", "graft static\nincude README"));
    /// assert_eq!(template.commands().len(), 1);
    /// assert_eq!(problems[0].message, "unknown action `incude`");
    /// assert_eq!(problems[0].help.as_deref(), Some("did you mean `include`?"));
    /// ```
    #[must_use]
    pub fn parse(source: &Source) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut commands = Vec::new();
        for words in logical_lines(source.text(), &mut problems) {
            match parse_command(source, &words) {
                Ok(command) => commands.push(command),
                Err(problem) => problems.push(problem),
            }
        }
        problems.sort_by_key(|problem| problem.span.map_or(0, |span| span.start));
        (Self { commands }, problems)
    }

    /// The commands, in order.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }
}

fn parse_command(source: &Source, words: &[Word]) -> Result<Command, Problem> {
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        // `logical_lines` leaves empty lines out.
        return Err(Problem::error("manifest-in-empty", "a line without words"));
    };
    let span = Span::new(
        first.span.start.min(last.span.start),
        last.span.end.max(first.span.end),
    );
    let Some((name, action)) = Action::ALL
        .into_iter()
        .find(|(name, _)| *name == first.text)
    else {
        let names = Action::ALL.map(|(name, _)| name);
        let problem = Problem::error(
            "manifest-in-unknown-action",
            format!("unknown action `{}`", first.text),
        )
        .at(first.span);
        return Err(
            match spanned_xml::nearest(&first.text, names.iter().copied(), 1).first() {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("the actions are {}", names.join(", "))),
            },
        );
    };
    let expects = |what: &str| {
        let help = match action {
            Action::Graft | Action::Prune => "give each folder a line of its own",
            _ => "give at least one pattern",
        };
        Err(
            Problem::error("manifest-in-arguments", format!("`{name}` expects {what}"))
                .at(span)
                .help(help),
        )
    };
    let (folder, patterns) = match action {
        Action::Include | Action::Exclude | Action::GlobalInclude | Action::GlobalExclude => {
            match &words[1..] {
                [] => return expects("<pattern1> <pattern2> ..."),
                patterns => (None, patterns.to_vec()),
            }
        }
        Action::RecursiveInclude | Action::RecursiveExclude => match &words[1..] {
            [folder, patterns @ ..] if !patterns.is_empty() => {
                (Some(folder.clone()), patterns.to_vec())
            }
            _ => return expects("<dir> <pattern1> <pattern2> ..."),
        },
        Action::Graft | Action::Prune => match &words[1..] {
            [folder] => (Some(folder.clone()), Vec::new()),
            _ => return expects("a single <dir_pattern>"),
        },
    };
    let text = words
        .iter()
        .map(|word| word.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    let place = source.line_column(first.span.start);
    Ok(Command {
        file: source.name().to_owned(),
        line: place.line,
        column: place.column,
        span,
        text,
        action,
        folder,
        patterns,
    })
}
