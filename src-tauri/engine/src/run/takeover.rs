//! The board's sources and its file: what starts, goes on, begins anew and ends by a change of it.

use std::{collections::BTreeSet, sync::Arc};

use watchfloor_board::config::spec::{BoardFile, WidgetSpec};
use watchfloor_feed::SourceConfig;
use watchfloor_model::{Counts, Mono};

use super::Run;
use crate::{
    intake::Intake,
    source::{Begin, Source},
    sources::Setup,
    transport::Route,
};

impl Run {
    /// Takes over a new board: widgets whose fold is unchanged keep their state; sources of others begin anew, since
    /// what the journal leads to doesn't hold their past.
    pub(super) fn handle_board(&mut self, file: BoardFile, now: Mono) {
        tracing::info!(widgets = file.widgets.len(), "the board file has changed");
        let known: Vec<_> = self.file.widgets.iter().flat_map(WidgetSpec::folds).collect();
        let new = file.widgets.iter().flat_map(WidgetSpec::folds).filter(|fold| !known.contains(fold));
        let anew: BTreeSet<String> = new.map(|(source, _)| source.to_owned()).collect();
        self.board.reload(file.clone(), now);
        let before = std::mem::replace(&mut self.file, file);
        if before.alarming != self.file.alarming || before.board.timezone != self.file.board.timezone {
            self.announcer.set_settings(super::settings(&self.file, self.actions, &self.reach.beside));
            self.keep_alarms();
        }
        let is_observed = self.reach.observer.is_some();
        let handed_on = super::onward(&self.file, is_observed);
        if super::onward(&before, is_observed) != handed_on {
            self.hand_on(handed_on);
        }
        let is_moved = |id: &str| match (before.source(id), self.file.source(id)) {
            (Some(before), Some(now)) => !now.continues(before),
            _ => true,
        };
        let moved: BTreeSet<String> = self.sources.keys().filter(|id| is_moved(id)).cloned().collect();
        let setups = self.setups();
        let gone: Vec<String> =
            self.sources.keys().filter(|id| !setups.iter().any(|setup| setup.feed.id == **id)).cloned().collect();
        for id in gone {
            self.sources.remove(&id).into_iter().for_each(Source::leave);
            self.lives.remove(&id);
            self.restarts.remove(&id);
            self.unheard.remove(&id);
            self.watch.forget(&id);
            if let Some(metrics) = self.source_metrics.remove(&id) {
                metrics.set(None, &Counts::default());
            }
        }
        for setup in setups {
            let id = setup.feed.id.clone();
            match self.sources.get_mut(&id) {
                None => {
                    self.start_source(setup, Begin::default());
                    self.unheard.insert(id);
                }
                Some(source) if anew.contains(&id) || !source.runs_as(&setup) => {
                    let life = self.lives.entry(id.clone()).or_default();
                    if moved.contains(&id) {
                        self.born += 1;
                        *life = self.born;
                        self.unheard.insert(id.clone());
                    }
                    if !source.restart(setup, *life) {
                        self.restarts.insert(id);
                    }
                }
                Some(_) => {}
            }
        }
        self.count_widgets();
        // What is journaled from now on is of these sources, and the next run must know which those were.
        self.is_corrected = true;
        self.save_corrections();
    }

    /// Restarts those whose order to do so had no place yet.
    pub(super) fn restart_sources(&mut self) {
        for setup in self.setups() {
            let id = setup.feed.id.clone();
            let Some(life) = self.lives.get(&id).filter(|_| self.restarts.contains(&id)) else { continue };
            if self.sources.get_mut(&id).is_some_and(|source| source.restart(setup, *life)) {
                self.restarts.remove(&id);
            }
        }
    }

    /// Counts the board's widgets, and no others.
    pub(super) fn count_widgets(&mut self) {
        self.widget_metrics.retain(|id, metrics| {
            let stays = self.file.widgets.iter().any(|widget| widget.id == *id);
            if !stays {
                metrics.set(None);
            }
            stays
        });
        for widget in &self.file.widgets {
            self.widget_metrics.entry(widget.id.clone()).or_insert_with(|| self.metrics.widget(&widget.id));
        }
    }

    /// The settings of every source of the board.
    pub(super) fn configs(&self) -> Vec<SourceConfig> {
        let config = |spec| self.settings.config(spec, self.board.strictest_limit(&spec.id));
        self.file
            .sources
            .iter()
            .filter_map(|spec| {
                // Checked before the board was taken over.
                config(spec).inspect_err(|error| tracing::error!(reason = %error, "source left out")).ok()
            })
            .collect()
    }

    /// The same with where their tokens are to be had, and by what way.
    pub(super) fn setups(&self) -> Vec<Setup> {
        let whole = |feed: SourceConfig| {
            let spec = self.file.source(&feed.id)?;
            let transcripts = self.settings.transcripts.clone();
            let (token, cipher) = (spec.token.clone(), spec.cipher.clone());
            Some(Setup { token, cipher, transcripts, route: Route::of(spec), story: spec.story(), feed })
        };
        self.configs().into_iter().filter_map(whole).collect()
    }

    pub(super) fn start_source(&mut self, setup: Setup, begin: Begin) {
        let Some(steps) = &self.steps else { return };
        let id = setup.feed.id.clone();
        self.born += 1;
        let intake = Intake::new(id.as_str().into(), self.born, self.clock, steps.clone(), Arc::clone(&self.in_flight));
        self.lives.insert(id.clone(), self.born);
        self.source_metrics.entry(id.clone()).or_insert_with(|| self.metrics.source(&id));
        let source = Source::start(&self.runtime, setup, begin, Arc::clone(&self.doors), intake, self.clock);
        self.sources.insert(id, source);
    }
}
