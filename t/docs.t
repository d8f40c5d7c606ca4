# The documents and the code name the same things: reasons, directives, words of blocks, variables,
# threats and tests.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

my $root = dirname(dirname(abs_path(__FILE__)));

sub slurp {
    my ($name) = @_;
    open my $file, '<:raw', "$root/$name" or return '';
    local $/;
    return scalar <$file>;
}

# Everything in the first list that the second does not hold.
sub missing {
    my ($names, $there) = @_;
    my %there = map { $_ => 1 } @$there;
    return join ' ', grep { !$there{$_} } @$names;
}

subtest 'reasons' => sub {
    my %status = (NoCredential => 401, InvalidToken => 401, InvalidRequest => 400,
        InsufficientScope => 403, LoginFailed => 401, BadRequest => 400, MethodNotAllowed => 405,
        ContentTooLarge => 413, MediaType => 415, TooManyRequests => 429, Unavailable => 503,
        Internal => 500);
    my %code = map { $_->[0] => $status{ $_->[1] } }
        map { [/"(\w+)",\s*k(\w+)\)/] } grep {/X\(k\w+,\s*"\w/} split /\n/, slurp('src/base/reason.h');
    my @rows = slurp('docs/REASONS.md') =~ /^\| `(\w+)` \| (\d+) \| (\S.*\S) \| (\S.*\S) \|$/mg;
    my (%row, @order);
    while (my ($name, $http, $meaning, $remedy) = splice @rows, 0, 4) {
        ok !$row{$name}, "$name stands in one row" if $row{$name};
        $row{$name} = $http;
        push @order, $name;
    }
    cmp_ok scalar(keys %code), '>', 40, 'the codes are found';
    is missing([sort keys %code], \@order), '', 'every code has a row';
    is missing(\@order, [keys %code]), '', 'every row is of a code';
    is_deeply \%row, \%code, 'with the status of its class';
};

subtest 'directives' => sub {
    my @named = slurp('src/nginx/directives.cc') =~ /"(gate\w*)"/g;
    ok scalar(@named), 'the table of directives was read';
    my $text = slurp('docs/DIRECTIVES.md');
    my @sections = $text =~ /^### ([a-z_]+)$/mg;
    is missing(\@named, \@sections), '', 'every directive has a section';
    is missing([grep {/^gate/} @sections], \@named), '', 'every section is of a directive';
    for my $section (split /^### /m, $text) {
        my ($name) = $section =~ /\A(gate\w*)\n/ or next;
        my @fields = $section =~ /^\*\*(Syntax|Default|Context):\*\*/mg;
        is "@fields", 'Syntax Default Context', "$name has syntax, default and context";
        like $section, qr/```nginx\n.*\b$name\b/s, "$name has an example";
    }
};

subtest 'words of blocks' => sub {
    my $text = slurp('docs/DIRECTIVES.md');
    for ([gate_issuer => 'conf_issuer.cc'], [gate_keys => 'conf_keys.cc'],
        [gate_redis => 'conf_redis.cc'], [gate_users => 'conf_users.cc']) {
        my ($block, $file) = @$_;
        my ($table) = slurp("src/nginx/$file") =~ /Word<\w+>\s+k\w+\[\]\s*=?\s*\{(.*?)\n\};/s;
        my @words = ($table // '') =~ /\{"(\w+)"/g;
        cmp_ok scalar(@words), '>', 2, "$block: the words are found";
        my ($section) = $text =~ /^### $block\n(.*?)(?=^##)/ms;
        is missing(\@words, [($section // '') =~ /^\| `(\w+)/mg]), '', "$block: every word has a row";
    }
};

subtest 'fields of replies' => sub {
    my @fields = slurp('src/policy/reply_fields.cc') =~ /^\s*\{"([\w.]+)", FieldKind/mg;
    cmp_ok scalar(@fields), '>', 40, 'the fields are found';
    my ($section) = slurp('docs/DIRECTIVES.md') =~ /^### gate_reply\n(.*?)(?=^##)/ms;
    is missing(\@fields, [$section =~ /`([\w.]+)`/g]), '', 'every one is named';
};

subtest 'variables' => sub {
    my $code = slurp('src/nginx/variables.cc');
    my @names = $code =~ /^\s*\{"(gate_\w+)",/mg;
    cmp_ok scalar(@names), '>', 10, 'the variables are found';
    is missing(\@names, [slurp('docs/DIRECTIVES.md') =~ /^\| `\$(\w+)`/mg]), '', 'every one has a row';
};

subtest 'examples' => sub {
    my @examples = map { (split m{/})[-2] } glob "$root/conf/examples/*/nginx.conf";
    cmp_ok scalar(@examples), '>=', 10, 'the examples are found';
    my $text = slurp('README.md') . slurp('docs/DIRECTIVES.md');
    is missing(\@examples, [$text =~ m{conf/examples/([\w-]+)}g]), '', 'every one is mentioned';
};

subtest 'links' => sub {
    for my $path (map { substr $_, length("$root/") } glob("$root/*.md"), glob("$root/docs/*.md")) {
        my $directory = $path =~ m{/} ? dirname($path) . '/' : '';
        my @dead = grep { !-e "$root/$directory$_" }
            slurp($path) =~ /\]\((?!https?:|#|mailto:)([^)#\s]+)/g;
        is "@dead", '', "$path: no dead link";
    }
};

subtest 'threats' => sub {
    my $output = `$root/tools/check-rows 2>&1`;
    is $?, 0, 'every row of the threat list has a test' or diag $output;
};

done_testing;
