//! `watchfloor new`: a complete board to begin with.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use watchfloor_board::config;
use watchfloor_demo::StoryName;

use crate::{cli::NewArgs, failure::Failure, new_file::NewFile, output};

/// Where the package puts the schema of board files.
const INSTALLED: &str = "/usr/share/watchfloor/board.schema.json";
/// What it is called beside a board.
const BESIDE: &str = "board.schema.json";
/// How the examples name it.
const OF_EXAMPLES: &str = "../docs/board.schema.json";

/// Writes the board, and the schema beside it where none is installed; prints what runs it.
pub(crate) fn run(args: NewArgs) -> Result<ExitCode, Failure> {
    let story = args.template;
    let out = args.out.unwrap_or_else(|| PathBuf::from(format!("{story}.toml")));
    let file = out.to_str().filter(|file| !file.chars().any(char::is_control));
    let file = quoted(file.ok_or_else(|| Failure::Usage(format!("{}: give a name in plain text", out.display())))?);
    let beside = (!Path::new(INSTALLED).is_file()).then(|| out.with_file_name(BESIDE));
    let schema = if beside.is_some() { BESIDE } else { INSTALLED };
    let board = board(story, &file, args.title.as_deref(), schema)?;
    NewFile::open(&out)?.write(&board)?;
    output::line(&format_args!("wrote {}", out.display()))?;
    for (name, text) in story.files() {
        let named = out.with_file_name(name);
        // What is there already is its owner's, and the board reads that.
        if named.exists() {
            continue;
        }
        if let Some(folder) = named.parent() {
            let why = |error| Failure::Environment(format!("{}: it can't be made: {error}", folder.display()));
            std::fs::create_dir_all(folder).map_err(why)?;
        }
        NewFile::open(&named)?.write(text)?;
        output::line(&format_args!("wrote {}, which its map shows", named.display()))?;
    }
    if let Some(beside) = beside {
        // One that is there is of another board here, and as good.
        if !beside.exists() {
            NewFile::open(&beside)?.write(&format!("{:#}\n", config::schema()))?;
            output::line(&format_args!("wrote {}, by which editors know its keys", beside.display()))?;
        }
    }
    let commands = [
        format!("watchfloor-hub --board {file} &"),
        format!("watchfloor-replay --story {story} &"),
        format!("watchfloor --board {file}"),
    ];
    output::line(&format_args!("\nRun it with a hub, and a replay that tells it a story:\n"))?;
    for command in commands {
        output::line(&format_args!("  {command}"))?;
    }
    output::line(&"\nThen put your own source in place of the story: `[[source]]` in the file.")?;
    Ok(ExitCode::SUCCESS)
}

/// The template under its own name.
fn board(story: StoryName, file: &str, title: Option<&str>, schema: &str) -> Result<String, Failure> {
    let example = format!("examples/{}", story.board_name());
    let mut text = story.board().replacen(OF_EXAMPLES, schema, 1).replace(&example, file);
    if let Some(title) = title {
        text = titled(&text, title);
    }
    // All that can be wrong with it by now is the title.
    config::parse_beside(&text, file, &|name| story.beside(name))
        .map_err(|errors| Failure::Usage(format!("no board comes of that title\n{errors}")))?;
    Ok(text)
}

/// With another title of the board, the first one in the file.
fn titled(text: &str, title: &str) -> String {
    let is_title = |line: &str| line.starts_with("title = ");
    let title = serde_json::Value::from(title).to_string();
    let mut given = Some(format!("title = {title}"));
    let lines = text.lines().map(|line| match given.take_if(|_| is_title(line)) {
        Some(given) => given,
        None => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

/// As a shell takes it.
fn quoted(file: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/+,:=@%".contains(letter);
    if file.chars().all(is_plain) { file.to_owned() } else { format!("'{}'", file.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_template_becomes_a_board_of_its_own() {
        for story in StoryName::ALL {
            let text = board(story, "walls/mine.toml", Some("Say \"ä\" \\ b"), "board.schema.json").expect("a board");
            assert!(text.starts_with("#:schema board.schema.json\n"), "{text:.80}");
            assert!(!text.contains("examples/"), "{story}");
            assert!(text.contains("watchfloor --board walls/mine.toml"), "{story}");
            let file = config::parse_beside(&text, "mine.toml", &|name| story.beside(name)).expect("sound");
            assert_eq!(file.board.title, "Say \"ä\" \\ b");
            for source in &file.sources {
                assert!(source.url.starts_with("http://127.0.0.1:8787"), "{story}");
            }
            let same = board(story, "x", None, OF_EXAMPLES).expect("a board");
            assert_eq!(same.lines().count(), text.lines().count());
        }
    }

    #[test]
    fn a_title_that_is_none_is_refused() {
        for title in ["", &"x".repeat(101)] {
            let failure = board(StoryName::Orders, "x.toml", Some(title), BESIDE).expect_err("no title");
            assert!(failure.to_string().contains("title"), "{failure}");
        }
    }

    #[test]
    fn files_are_named_as_a_shell_takes_them() {
        assert_eq!(quoted("a/b-c.toml"), "a/b-c.toml");
        assert_eq!(quoted("my board's.toml"), r"'my board'\''s.toml'");
    }
}
